"""`calibrate`: the rates of the Gaussian layers' cost model, measured where a program runs.

Nothing here is used unless a program asks: trainings that are to be repeated choose by the
built-in rates, which are everywhere the same.
"""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from structnets.files import is_mine, read_json, write_json
from structnets.identity import digest
from structnets.nn import _discretised_cost as cost
from structnets.nn.gaussian_conv import GaussianConv2d

Factors = dict[str, float]
VERSION = 1
MOST_FACTOR = 4.0
MOST_MACHINES = 16
REPETITIONS = 3
# A few small layers do not tell all: what they differ by counts half, as a square root.
BELIEF = 0.5
# A process that waits for longer than this part of its time shares the processor.
LEAST_SHARE = 0.85
# Batch, channels in and out, side, and options of layers that take some milliseconds a step.
LAYERS: tuple[tuple[int, int, int, int, dict[str, Any]], ...] = (
    (4, 3, 32, 32, {"order": 3, "sigmas": 1.5}),
    (2, 32, 32, 24, {"order": 3, "sigmas": 1.0}),
    (2, 64, 96, 12, {"order": 2, "sigmas": 1.0, "discretisation": "hybrid"}),
    (1, 32, 32, 40, {"order": 2, "sigmas": 2.0, "discretisation": "hybrid"}),
    (4, 256, 128, 6, {"order": 2, "sigmas": 1.0, "discretisation": "hybrid"}),
)


class BusyMachineWarning(UserWarning):
    """Other programs take the processor's time, so that nothing can be measured.

    Examples
    --------
    >>> import warnings
    >>> from structnets.nn import BusyMachineWarning
    >>> warnings.simplefilter("ignore", BusyMachineWarning)  # the built-in rates will do
    """


def calibrate(cache: str | os.PathLike[str] | None = None, *, renew: bool = False) -> Factors:
    """Choose the evaluation of Gaussian layers by what it takes on this machine.

    `GaussianConv2d` estimates what each way takes by rates of one processor. This measures some
    small layers in all ways, for some seconds, and corrects the rates of this process for the
    number of threads that PyTorch has now. What was measured is kept in the user's cache, and
    read there by later processes that call this.

    Parameters
    ----------
    cache : path, optional
        Where it is kept; by default ``structnets/calibration.json`` in ``$XDG_CACHE_HOME`` or
        ``~/.cache``.
    renew : bool
        Measure even if this machine's factors are there.

    Returns
    -------
    dict
        For every way, in ``training`` and in ``inference``, what its estimate is multiplied with,
        beside the other ways: from 1/4 to 4. Empty where the machine was busy: the built-in rates
        stay.

    Warns
    -----
    BusyMachineWarning
        If other programs disturb the measurement; nothing is changed or written then.
    UserWarning
        If the file is not what this function writes, or cannot be written. Factors are measured
        again, and a file that is another's is left alone.

    Limits
    ------
    A layer keeps what it chose before for the sizes it met: call this first. Choices then differ
    between machines, and with them the rounding of results; trainings of the pipeline never call
    it. Layers on volumes, frames and attributes are not concerned.

    Examples
    --------
    >>> from structnets.nn import calibrate
    >>> factors = calibrate()  # doctest: +SKIP
    >>> factors["composed training"]  # doctest: +SKIP
    0.81
    """
    path, machine = Path(cache) if cache is not None else _default_path(), _machine()
    known, writable = _read(path)
    factors = None if renew else known.get(machine)
    if factors is None:
        factors = measure()
        if factors is None:
            message = "the machine is busy: Gaussian layers choose by the built-in rates"
            warnings.warn(message, BusyMachineWarning, stacklevel=2)
            return {}
        known.pop(machine, None)
        kept = dict([*known.items(), (machine, factors)][-MOST_MACHINES:])
        if path is not None and writable:
            _write(path, kept)
    cost.MEASURED[torch.get_num_threads()] = factors
    return dict(factors)


def measure() -> Factors | None:
    """Measure the factors of all ways; None if other programs took the processor meanwhile."""
    if _load() > 0.5:
        return None
    begun, worked = time.perf_counter(), time.process_time()
    found: dict[str, list[float]] = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for batch, inputs, outputs, side, options in LAYERS:
            layer = GaussianConv2d(inputs, outputs, bias=False, **options).eval()
            x = torch.randn(batch, inputs, side, side)
            for training in (True, False):
                for name, ratio in _ratios(layer, x.requires_grad_(training), training).items():
                    found.setdefault(name, []).append(ratio)
    if time.process_time() - worked < LEAST_SHARE * (time.perf_counter() - begun):
        return None
    factors = {}
    for mode in cost.MODES:
        medians = {n: statistics.median(r) for n, r in found.items() if n.endswith(mode)}
        middle = statistics.median(medians.values())
        for name, value in medians.items():
            factor = (value / middle) ** BELIEF
            factors[name] = round(min(max(factor, 1 / MOST_FACTOR), MOST_FACTOR), 3)
    return factors


def _ratios(layer: GaussianConv2d, x: Tensor, training: bool) -> Factors:
    """Return the seconds of every way by the estimated ones."""
    with torch.set_grad_enabled(training):
        work = layer.discretised_work(x, layer.work(x, training))
        taken = {way: _seconds(layer, x, way, training) for way in cost.possible_ways(work)}
    return {
        cost.factor_name(work, way): seconds / cost.built_in_estimate(work, way)
        for way, seconds in taken.items()
    }


def _seconds(layer: GaussianConv2d, x: Tensor, way: str, training: bool) -> float:
    """Return the least seconds of a step in a way, after a first one that is not counted."""
    layer.way, seconds = way, []
    for _ in range(REPETITIONS + 1):
        begun = time.perf_counter()
        out = layer(x)
        if training:
            torch.autograd.grad(out.sum(), [x, layer.alpha])
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def _load() -> float:
    """Return how many more programs want a processor than there are left beside this one."""
    if not hasattr(os, "getloadavg"):
        return 0.0
    others = os.getloadavg()[0] - 1
    return others - max(0, (os.cpu_count() or 1) - torch.get_num_threads())


def _machine() -> str:
    """Name what the factors depend on: the processor, PyTorch, the threads and the rates."""
    model = platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        model = next((line.partition(":")[2] for line in lines if "model name" in line), model)
    except OSError:
        pass
    facts = (
        f"{model.strip()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        f"{torch.get_num_threads()} threads",
        f"torch {torch.__version__}",
        f"rates {digest([sorted(t.items()) for t in (cost.TRAINING, cost.INFERENCE)])[:8]}",
    )
    return "; ".join(facts)


def _default_path() -> Path | None:
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
    except RuntimeError:  # nobody's home: nothing is kept
        return None
    return Path(home) / "structnets" / "calibration.json"


def _read(path: Path | None) -> tuple[dict[str, Factors], bool]:
    """Return the factors of all machines that a file lists, and whether it may be written anew."""
    if path is None:
        return {}, False
    try:
        if not is_mine(path):
            warnings.warn(f"{path} is a link or another user's: not read", stacklevel=3)
            return {}, False
        return _checked(read_json(path)), True
    except FileNotFoundError:
        return {}, True
    except (OSError, ValueError) as error:
        warnings.warn(f"{path} is no calibration, and is passed over: {error}", stacklevel=3)
        return {}, True


def _checked(content: Any) -> dict[str, Factors]:
    """Return the machines of a file's content.

    Raises
    ------
    ValueError
        If it is anything else than what `calibrate` of this version writes.
    """
    if not isinstance(content, dict) or set(content) != {"version", "machines"}:
        raise ValueError("it must have a version and machines, and nothing else")
    if content["version"] != VERSION:
        raise ValueError(f"version must be {VERSION}, got {content['version']!r}")
    machines = content["machines"]
    if not isinstance(machines, dict) or not all(map(_are_factors, machines.values())):
        raise ValueError(f"factors must be numbers from 1/{MOST_FACTOR:g} to {MOST_FACTOR:g}")
    return machines


def _are_factors(found: Any) -> bool:
    if not isinstance(found, Mapping) or set(found) - set(cost.FACTOR_NAMES):
        return False
    return bool(found) and all(
        isinstance(n, float) and math.isfinite(n) and 1 / MOST_FACTOR <= n <= MOST_FACTOR
        for n in found.values()
    )


def _write(path: Path, machines: Mapping[str, Factors]) -> None:
    try:
        write_json(path, {"version": VERSION, "machines": machines})
    except OSError as error:
        warnings.warn(f"the calibration cannot be kept in {path}: {error}", stacklevel=3)
