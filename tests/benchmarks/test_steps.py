"""A training step of the MNIST nets: RFNN beside the plain CNN of equal kernel sizes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional

from structnets.models import create_model
from tests.benchmarks.timing import repeated, warm_up

BATCH, REPETITIONS = 25, 15


def step_of(name: str) -> Callable[[], None]:
    """Return one step of Adadelta on a random batch."""
    torch.manual_seed(0)
    model = create_model(name)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    images, labels = torch.rand(BATCH, 1, 28, 28), torch.randint(0, 10, (BATCH,))

    def step() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


@pytest.mark.benchmark
@pytest.mark.parametrize("threads", [1, 2])
def test_step_beside_the_plain_cnn(threads: int) -> None:
    torch.set_num_threads(threads)
    warm_up()
    names = ("cnn_b", "rfnn_mnist", "rfnn_mnist_order3", "cnn_b_5x5")
    seconds = repeated({name: step_of(name) for name in names}, REPETITIONS)
    print(f"\n{threads} threads, batch {BATCH}")
    for name in names:
        ratio = seconds[name] / seconds["cnn_b"]
        print(f"{name:18s} {1e3 * seconds[name]:7.1f} ms  {ratio:.2f} x cnn_b")
