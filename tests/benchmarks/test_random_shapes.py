"""Is the chosen way near the best, and nn.Conv2d's price, on layers of any shape?

Shapes are drawn anew by every run's seed, which is printed; ``BENCH_SEED`` repeats one,
``BENCH_SHAPES`` says how many of each kind (10). Medians of interleaved repetitions, as ratios: CPU
seconds on one thread, wall seconds on two. Nothing is asserted: the processor decides.
"""

from __future__ import annotations

import copy
import os
import random
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from structnets.nn import GaussianConv2d, measure_ways
from structnets.nn.measured_ways import ways_to_time
from tests.benchmarks.shapes import Shape, draw
from tests.benchmarks.timing import inference, repeated, warm_up

SEED = int(os.environ.get("BENCH_SEED", time.time_ns() % 2**31))
SHAPES = int(os.environ.get("BENCH_SHAPES", "10"))
REPETITIONS = 5
LONG = 1e-3  # seconds; in less, what a layer checks of a call is seen


def step(layer: nn.Module, x: Tensor, training: bool) -> Callable[[], object]:
    """Return an action: a training step, or a forward pass."""
    if not training:
        return inference(layer, x)
    above = torch.randn_like(layer(x).detach())
    wanted = [*layer.parameters(), *([x] if x.requires_grad else [])]
    return lambda: torch.autograd.grad(layer(x), wanted, above)


def in_way(layer: GaussianConv2d, way: str) -> GaussianConv2d:
    """Return a copy that is evaluated in a given way: what a layer keeps is for one way."""
    twin = copy.deepcopy(layer)
    twin.way = way
    return twin


def measure(shape: Shape, training: bool, threads: int) -> tuple[list[str], dict[str, float]]:
    """Return the ways chosen by estimate and by `measure_ways`, and the seconds of all ways.

    Among them ``nn.Conv2d``'s.
    """
    layer, x = shape.layer().train(training), shape.maps()
    x.requires_grad_(shape.wants_gradient(training))
    work = layer.work(x, training)
    with torch.set_grad_enabled(training):
        estimated = layer.way_for(x)
        with measure_ways(layer):
            layer(x)
        chosen = [estimated, layer.way_for(x)]
    ways = ways_to_time(layer.discretised_work(x, work))
    actions = {w: step(in_way(layer, w), x, training) for w in ways}
    sizes = (shape.inputs, shape.outputs, layer.kernel_size)
    plain = nn.Conv2d(*sizes, padding=layer.padding, bias=False)
    actions["nn.Conv2d"] = step(plain, x, training)
    clock = time.process_time if threads == 1 else time.perf_counter
    return chosen, repeated(actions, REPETITIONS, clock=clock)


def quantiles(ratios: list[float]) -> str:
    """Show the median, 95 % and the worst."""
    return " / ".join(f"{q:.2f}" for q in np.quantile(ratios, [0.5, 0.95, 1]))


def report(name: str, found: list[tuple[str, dict[str, float], Shape]]) -> None:
    """Print the chosen ways beside the best and ``nn.Conv2d``, and the worst choices."""
    rows = []
    for chosen, seconds, shape in found:
        plain = seconds["nn.Conv2d"]
        best = min(seconds.keys() - {"nn.Conv2d"}, key=seconds.__getitem__)
        taken = seconds[chosen]
        rows.append((taken / seconds[best], taken / plain, plain, chosen, best, shape))
    print(f"  {name} ÷ best of its ways {quantiles([row[0] for row in rows])}")
    print(f"  {name} ÷ nn.Conv2d of the same size {quantiles([row[1] for row in rows])}")
    long = [row[1] for row in rows if row[2] > LONG]
    if long:
        print(f"  … where that takes over a millisecond ({len(long)}) {quantiles(long)}")
    for ratio, beside, _, chosen, best, shape in sorted(rows, key=lambda row: -row[0])[:3]:
        print(f"    {ratio:.2f} ({beside:.2f} of nn.Conv2d): {chosen}, best {best}: {shape}")


@pytest.mark.benchmark
@pytest.mark.parametrize("kind", ["sampled", "hybrid", "learned"])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("threads", [1, 2])
def test_auto_on_random_shapes(threads: int, training: bool, kind: str) -> None:
    torch.set_num_threads(threads)
    warm_up()
    rng, found = random.Random(f"{SEED} {kind} {training} {threads}"), []
    for _ in range(SHAPES):
        shape = draw(rng, kind, training)
        chosen, seconds = measure(shape, training, threads)
        found.append((chosen, seconds, shape))
    title = f"{kind}, {'training' if training else 'inference'}, {threads} threads, seed {SEED}"
    print(f"\n{title}: {SHAPES} shapes; median / 95 % / worst")
    for number, name in enumerate(("auto", "auto, measured")):
        report(name, [(chosen[number], seconds, shape) for chosen, seconds, shape in found])
