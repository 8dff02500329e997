"""Rotation steering of feature maps beside the frame convolution that made them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from structnets.nn import DynamicSteerableBlock, Pose
from tests.benchmarks.timing import repeated, warm_up

REPETITIONS = 9
# Channels, map size, kernel size, order; the second is a lower bound of the convolution's work.
SHAPES = ((64, 96, 7, 2), (64, 48, 3, 2), (16, 96, 7, 4), (1, 128, 7, 1))


def gradients_of(run: Callable[[], Tensor], wanted: Sequence[Tensor]) -> Callable[[], object]:
    """Return an action: forward, and the gradients of what enters."""
    gradient = torch.randn_like(run().detach())
    return lambda: torch.autograd.grad(run(), wanted, gradient)


@pytest.mark.benchmark
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("shared", [False, True], ids=["pose per channel", "one pose"])
def test_steering_beside_the_frame_convolution(
    shape: tuple[int, int, int, int], shared: bool, training: bool
) -> None:
    torch.set_num_threads(1)
    warm_up()
    channels, size, kernel_size, order = shape
    poses = 1 if shared else channels
    block = DynamicSteerableBlock(
        channels, 1, order=order, scale=False, kernel_size=kernel_size, poses=poses
    )
    x = torch.randn(2, channels, size, size, requires_grad=training)
    frame = block.frame_maps(x)[0].detach().requires_grad_(training)
    angle = torch.randn(2, poses, size, size, requires_grad=training)
    actions: dict[str, Callable[[], Tensor]] = {
        "convolution": lambda: block.frame_maps(x)[0],
        "steering": lambda: block.steer([frame], Pose(angle)),
    }
    if training:
        timed = {
            "convolution": gradients_of(actions["convolution"], [x]),
            "steering": gradients_of(actions["steering"], [frame, angle]),
        }
    else:
        timed = actions
    with torch.set_grad_enabled(training):
        seconds = repeated(timed, REPETITIONS)
    ratio = seconds["steering"] / seconds["convolution"]
    print(
        f"\n{shape}, {poses} poses: {ratio:.2f} of {1e3 * seconds['convolution']:.1f} ms (median)"
    )
