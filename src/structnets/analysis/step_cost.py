"""Memory and time of one training step of an i-RevNet, in a process of its own.

``python -m structnets.analysis.step_cost JSON`` prints ``{"megabytes": …, "seconds": …}``. A step
may store all activations, the inputs of blocks (PyTorch's checkpoints), or none.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import get_gradient_edge

from structnets.training.freed_memory import keep_freed_memory

WAYS = ("stored", "checkpointed", "reversible")
# Environment of a process that returns to the system what it frees.
RETURNING = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}


def step_cost(
    way: str, options: dict[str, Any], batch_size: int, steps: int, device: str, threads: int
) -> dict[str, float]:
    """Measure a training step in a new process.

    For the memory it returns what it frees to the system, for the time it keeps it.

    Parameters
    ----------
    way : {'stored', 'checkpointed', 'reversible'}
        What a step keeps of its forward pass: everything, the blocks' inputs, or nothing.
    options : dict
        Of `structnets.models.irevnet.irevnet`.
    batch_size : int
        Images of 32 x 32 pixels.
    steps : int
        The least time of so many further ones is taken; memory is that of the first.
    device : str
        ``cpu`` or ``cuda``.
    threads : int
        Of the process.

    Returns
    -------
    dict
        ``megabytes``, by how much a step exceeds what weights and gradients take, and
        ``seconds``: of the processor, which other programs disturb less than the clock's, or
        of the clock on a GPU.

    Raises
    ------
    ValueError
        If the way is unknown.
    RuntimeError
        If the process fails; with what it said.
    """
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}; got {way!r}")
    asked = {
        "way": way, "options": options, "batch_size": batch_size, "steps": steps,
        "device": device, "threads": threads,
    }  # fmt: skip
    command = [sys.executable, "-m", "structnets.analysis.step_cost", json.dumps(asked)]
    environment = {**os.environ, **RETURNING}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(
            f"a {way} training step of {options} failed: {done.stderr.strip()[-500:]}"
        )
    return json.loads(done.stdout)


def measure(
    way: str, options: dict[str, Any], batch_size: int, steps: int, device: str, threads: int
) -> dict[str, float]:
    """Measure a training step in this process; the parameters are those of `step_cost`."""
    torch.set_num_threads(threads)
    few = {**options, "blocks": [1] * len(options["blocks"])}
    _step(way, few, 2, device)()  # what libraries allocate once is no part of the rise
    step = _step(way, options, batch_size, device)
    megabytes = rise(step, device)
    keep_freed_memory()  # as trainings do: returning it takes as long as a step
    clock = time.perf_counter if device == "cuda" else time.process_time
    taken = []
    for _ in range(steps):
        begun = clock()
        step()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(clock() - begun)
    return {"megabytes": megabytes, "seconds": min(taken)}


def _step(way: str, options: dict[str, Any], batch_size: int, device: str) -> Callable[[], None]:
    """Return one step; gradients add up in place, so that none is allocated."""
    from torch.utils.checkpoint import checkpoint

    from structnets.models.irevnet import irevnet

    torch.manual_seed(0)
    model = irevnet(**options, reversible=way == "reversible").to(device).train()
    if way == "checkpointed":
        for block in model.blocks:
            block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    images = torch.rand(batch_size, model.configuration["in_channels"], 32, 32, device=device)
    allocate_gradients(model.parameters())

    def step() -> None:
        model(images).square().mean().backward()

    return step


def allocate_gradients(weights: Iterable[Tensor]) -> None:
    """Allocate what the first backward pass would, and what autograd keeps as long as weights."""
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
        get_gradient_edge(weight)


def rise(step: Callable[[], None], device: str = "cpu") -> float:
    """Return by how many MB a step exceeds what was there before; Linux only on processors."""
    if device == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now on
    before = _resident("VmRSS")
    step()
    return _resident("VmHWM") - before


def _resident(key: str) -> float:
    """Return ``VmRSS`` (now) or ``VmHWM`` (peak) of this process in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(key))


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
