"""Reversible training: time and memory beside plain autograd, checkpoints, memcnn, revtorch."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
import torch

from structnets.analysis.jacobian import jacobian
from structnets.analysis.step_cost import RETURNING
from structnets.models.irevnet import IRevNet
from structnets.models.registry import create_model
from tests.benchmarks.reversible_ways import PRINTED, RELEASED, Kernels, available, step_of
from tests.benchmarks.timing import inference

DEPTHS = (9, 18, 36)


def peak_rise(way: str, blocks: int) -> float:
    """Measure in a process of its own that returns what it frees to the system."""
    command = [sys.executable, "-m", "tests.benchmarks.reversible_ways", way, str(blocks)]
    environment = {**os.environ, **RETURNING}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.benchmark
def test_memory_against_depth() -> None:
    print(f"\npeak memory rise of a step, MB, blocks per stage {DEPTHS}")
    deepest, growth = {}, {}
    for way in available():
        found = [peak_rise(way, depth) for depth in DEPTHS]
        deepest[way], growth[way] = found[-1], found[-1] / found[0] - 1
        print(f"{way:10s} " + " ".join(f"{mb:8.1f}" for mb in found) + f"  {growth[way]:+.1%}")
    assert growth["ours"] <= 0.05
    assert deepest["ours"] == min(deepest.values())


def cpu_seconds(actions: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Return the least CPU time of each action on one thread, all taken in turn.

    CPU time, unlike wall time, does not count what other programs take of a shared machine, but
    it, too, grows while they crowd the caches: the least is the least disturbed.
    """
    torch.set_num_threads(1)
    taken: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(repetitions + 1):
        for name, action in actions.items():
            begun = time.process_time()
            action()
            taken[name].append(time.process_time() - begun)
    return {name: min(values[1:]) for name, values in taken.items()}


@pytest.mark.benchmark
@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp:FutureWarning")  # memcnn
@pytest.mark.parametrize("kernels", [PRINTED, RELEASED], ids=["1-3-1", "3-3-3"])
def test_step_beside_plain_autograd(kernels: Kernels) -> None:
    steps = {way: step_of(way, 9, kernels=kernels) for way in available()}
    seconds = cpu_seconds(steps, 25)
    print(f"\n9 blocks {kernels} per stage, one thread: CPU seconds of a step, against plain")
    ratios = {way: value / seconds["plain"] for way, value in seconds.items()}
    for way, ratio in ratios.items():
        print(f"{way:10s} {seconds[way]:.3f} s  {ratio:.2f}")


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["irevnet_cifar", "irevnet_cifar_bijective"])
def test_inverse_beside_forward(name: str) -> None:
    torch.manual_seed(0)
    model, x = create_model(name), torch.rand(64, 3, 32, 32)
    assert isinstance(model, IRevNet)
    with torch.no_grad():
        model(x)
        features = model.eval().encode(x)
    actions = {"forward": inference(model.encode, x), "inverse": inference(model.inverse, features)}
    seconds = cpu_seconds(actions, 9)
    ratio = seconds["inverse"] / seconds["forward"]
    print(f"\n{name}: inverse {ratio:.2f} x forward ({seconds['forward']:.3f} CPU s, batch 64)")


@pytest.mark.benchmark
def test_exact_jacobian_of_the_bijective_cifar_net() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    model, x = create_model("irevnet_cifar_bijective"), torch.rand(16, 3, 32, 32)
    assert isinstance(model, IRevNet)
    with torch.no_grad():
        model(x)
    model.eval()
    begun = time.perf_counter(), time.process_time()
    matrix = jacobian(model.encode, x[:1])
    wall, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    begun_values = time.perf_counter()
    values = torch.linalg.svdvals(matrix)
    print(
        f"\n{tuple(matrix.shape)} in {wall:.1f} s ({cpu:.1f} CPU s); singular values in "
        f"{time.perf_counter() - begun_values:.1f} s more, {values[0]:.3g} to {values[-1]:.3g}"
    )
