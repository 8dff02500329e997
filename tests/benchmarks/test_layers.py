"""The ways to evaluate `GaussianConv2d`: is the chosen one near the best, and nn.Conv2d's?"""

from __future__ import annotations

import functools

import pytest
import torch
from torch.nn import functional

from structnets.nn._cost_model import TERMS, cheapest
from structnets.nn._evaluation import WAYS
from tests.benchmarks.shapes import MNIST, NIN, Shape
from tests.benchmarks.timing import inference, repeated, training_step, warm_up

MOST_NUMBERS = 2e8
REPETITIONS = 7


def actions_of(shape: Shape, training: bool) -> tuple[str, dict]:
    """Return the chosen way and an action for every way and for the plain convolution."""
    layer, x = shape.layer(), shape.maps()
    x.requires_grad_(training and shape.inputs > 3)
    work = layer.work(x, training)
    act = training_step if training else inference
    arguments = [layer.alpha] if training else []
    actions = {
        way: act(functools.partial(function, alpha=layer.alpha, atoms=layer.atoms), x, *arguments)
        for way, function in WAYS.items()
        if TERMS[way](work)[4] < MOST_NUMBERS
    }
    weight = layer.kernel().detach().contiguous(memory_format=torch.channels_last)
    weight.requires_grad_(training)

    def plain(x: torch.Tensor) -> torch.Tensor:
        return functional.conv2d(x, weight, None, layer.stride, layer.padding)

    actions["nn.Conv2d"] = act(plain, x, *([weight] if training else []))
    return cheapest(work, "cpu"), actions


@pytest.mark.benchmark
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("threads", [1, 2])
def test_chosen_way_beside_the_best(threads: int, training: bool) -> None:
    torch.set_num_threads(threads)
    warm_up()
    print(f"\n{'shape':9s} {'chosen':10s} {'best':10s} chosen/best chosen/Conv2d  (ms, median)")
    for shape in (*MNIST, *NIN):
        chosen, actions = actions_of(shape, training)
        seconds = repeated(actions, REPETITIONS)
        plain = seconds.pop("nn.Conv2d")
        best = min(seconds, key=seconds.__getitem__)
        shown = " ".join(f"{way} {1e3 * s:.1f}" for way, s in seconds.items())
        print(
            f"{shape.name:9s} {chosen:10s} {best:10s} {seconds[chosen] / seconds[best]:11.2f} "
            f"{seconds[chosen] / plain:13.2f}  {shown} nn.Conv2d {1e3 * plain:.1f}"
        )
