"""What boundary detectors see, choose and answer on images (Figures 10 and 11)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from structnets.models.boundary import BoundaryOutputs
from structnets.nn.dynamic_steerable import DynamicSteerableBlock


def probabilities(model: nn.Module, images: Tensor) -> Tensor:
    """Return the probability of a boundary at every pixel, (B, H, W), in evaluation mode."""
    return torch.sigmoid(_outputs(model, images).logits)[:, 0]


def pose_angles(model: nn.Module, images: Tensor) -> Tensor:
    """Return the first angle of the first dynamic block, (B, H, W) in (-pi, pi].

    Raises
    ------
    ValueError
        If no block of the model estimates an angle.
    """
    for pose in _outputs(model, images).poses:
        if pose.wrapped_angle is not None:
            return pose.wrapped_angle[:, 0]
    raise ValueError(f"{type(model).__name__} estimates no angle")


@torch.no_grad()
def gradient_magnitude(block: DynamicSteerableBlock, images: Tensor) -> Tensor:
    """Return the Euclidean norm of the gradient that a block sees, (B, H, W).

    That is the largest response of the derivative over all its rotations, which a maximum over
    rotated filters would take.

    Raises
    ------
    ValueError
        If the block sees more than the two first-order derivatives of one channel.
    """
    maps = block.frame_maps(images)
    if len(maps) != 1 or maps[0].shape[1:3] != (1, 2):
        raise ValueError(f"a gradient has two maps of one channel, got {tuple(maps[0].shape[1:3])}")
    return maps[0][:, 0].norm(dim=1)


def _outputs(model: Any, images: Tensor) -> BoundaryOutputs:
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            return model.outputs(images)
    finally:
        model.train(was)
