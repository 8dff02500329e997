"""Frame nets beside their pixel twins: whole training steps, interleaved."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from structnets.models.registry import create_model
from tests.benchmarks.timing import repeated, warm_up

GOAL = 1.05
REPETITIONS = 15


def step_of(model: nn.Module, batch: int) -> Callable[[], object]:
    """Return an action: one step of SGD on CIFAR-sized images."""
    x, y = torch.randn(batch, 3, 32, 32), torch.arange(batch) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()

    return step


@pytest.mark.benchmark
@pytest.mark.parametrize("name", ["resnet20", "resnet56", "densenet40"])
def test_frame_nets_train_like_their_pixel_twins(name: str) -> None:
    torch.set_num_threads(1)
    warm_up()
    frames = ("pixel", "image", "gauss15")
    batch = 16 if name == "densenet40" else 64  # the thesis trains with 64
    actions = {frame: step_of(create_model(name, frame=frame), batch) for frame in frames}
    seconds = repeated(actions, REPETITIONS)
    ratios = {frame: seconds[frame] / seconds["pixel"] for frame in frames}
    shown = ", ".join(f"{frame} {ratio:.3f}" for frame, ratio in ratios.items())
    print(f"\n{name}, batch {batch}: {shown} of {1e3 * seconds['pixel']:.0f} ms (median)")
    assert ratios["image"] < GOAL
