"""A training step of RFNiN-Scale beside the same net with plain convolutions of its supports."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from structnets.models import create_model
from structnets.nn import GaussianConv2d
from tests.benchmarks.timing import seconds_of, warm_up

FIXED, THREE_SIGMA = (11, 9, 7, 5), (49, 25, 13, 7)


def plain_twin(model: nn.Module) -> nn.Module:
    """Return the net with every structured convolution collapsed."""
    plain = copy.deepcopy(model)
    for name, layer in list(plain.named_modules()):
        if isinstance(layer, GaussianConv2d):
            parent, _, child = name.rpartition(".")
            setattr(plain.get_submodule(parent), child, layer.collapse())
    return plain


def step_of(model: nn.Module, batch: int) -> Callable[[], None]:
    """Return one step of SGD on a random batch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)
    images, labels = torch.rand(batch, 3, 224, 224) - 0.5, torch.randint(0, 100, (batch,))

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


@pytest.mark.benchmark
@pytest.mark.parametrize(
    ("kernel_sizes", "batch", "repetitions", "limit"),
    [(FIXED, 8, 7, 1.1), (THREE_SIGMA, 2, 2, 0.2)],
    ids=["fixed supports", "three sigma"],
)
@pytest.mark.parametrize("threads", [1, 2])
def test_step_beside_the_plain_net(
    threads: int, kernel_sizes: tuple[int, ...], batch: int, repetitions: int, limit: float
) -> None:
    torch.set_num_threads(threads)
    warm_up()
    torch.manual_seed(0)
    model = create_model("rfnin_scale3", kernel_sizes=kernel_sizes)
    ours, plain = step_of(model, batch), step_of(plain_twin(model), batch)
    ours()
    plain()
    # The best of each in turn: what a busy machine disturbs least.
    pairs = [(seconds_of(ours), seconds_of(plain)) for _ in range(repetitions)]
    fastest = [min(times) for times in zip(*pairs, strict=True)]
    ratio = fastest[0] / fastest[1]
    print(
        f"\n{threads} threads, batch {batch}, supports {kernel_sizes}: {1e3 * fastest[0]:.0f} ms, "
        f"nn.Conv2d {1e3 * fastest[1]:.0f} ms, ratio {ratio:.2f} (at most {limit})"
    )
