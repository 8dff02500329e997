"""Reversible training: time and memory beside plain autograd, checkpoints, memcnn, revtorch."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from structnets.models.irevnet import IRevNet
from structnets.models.registry import create_model
from tests.benchmarks.reversible_ways import available, step_of
from tests.benchmarks.timing import inference, repeated, warm_up

DEPTHS = (9, 18, 36)


def peak_rise(way: str, blocks: int) -> float:
    """Measure in a process of its own that returns what it frees to the system."""
    command = [sys.executable, "-m", "tests.benchmarks.reversible_ways", way, str(blocks)]
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.benchmark
def test_memory_against_depth() -> None:
    print(f"\npeak memory rise of a step, MB, blocks per stage {DEPTHS}")
    growth = {}
    for way in available():
        found = [peak_rise(way, depth) for depth in DEPTHS]
        growth[way] = found[-1] / found[0] - 1
        print(f"{way:10s} " + " ".join(f"{mb:8.1f}" for mb in found) + f"  {growth[way]:+.1%}")
    assert growth["ours"] <= 0.05
    assert growth["ours"] == min(growth.values())


@pytest.mark.benchmark
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.filterwarnings("ignore:.*torch.cuda.amp:FutureWarning")  # memcnn
def test_step_beside_plain_autograd(threads: int) -> None:
    torch.set_num_threads(threads)
    warm_up()
    seconds = repeated({way: step_of(way, 9) for way in available()}, 9)
    print(f"\n{threads} threads, 9 blocks per stage: seconds, and against plain autograd")
    ratios = {way: value / seconds["plain"] for way, value in seconds.items()}
    for way, ratio in ratios.items():
        print(f"{way:10s} {seconds[way]:.3f} s  {ratio:.2f}")
    assert ratios["ours"] <= 1.4
    assert ratios["ours"] == min(ratio for way, ratio in ratios.items() if way != "plain")


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["irevnet_cifar", "irevnet_cifar_bijective"])
def test_inverse_beside_forward(name: str) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(2)
    model, x = create_model(name), torch.rand(64, 3, 32, 32)
    assert isinstance(model, IRevNet)
    with torch.no_grad():
        model(x)
        features = model.eval().encode(x)
    seconds = repeated(
        {"forward": inference(model.encode, x), "inverse": inference(model.inverse, features)}, 15
    )
    ratio = seconds["inverse"] / seconds["forward"]
    print(f"\n{name}: inverse {ratio:.2f} x forward ({seconds['forward']:.3f} s, batch 64)")
    assert ratio <= 1.1
