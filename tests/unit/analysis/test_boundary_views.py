"""What detectors see and choose: the gradient by hand, angles and probabilities in range."""

from __future__ import annotations

import math

import pytest
import torch

from structnets.analysis.boundary_views import gradient_magnitude, pose_angles, probabilities
from structnets.models import create_model


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(2, 1, 20, 24, generator=torch.Generator().manual_seed(0))


def test_magnitude_is_the_largest_response_over_all_rotations(images: torch.Tensor) -> None:
    block = create_model("dynamic_block").block
    maps = block.frame_maps(images)[0][:, 0]
    angles = torch.linspace(0, 2 * math.pi, 721)[:, None, None, None]
    responses = torch.cos(angles) * maps[:, 0] + torch.sin(angles) * maps[:, 1]
    torch.testing.assert_close(
        gradient_magnitude(block, images), responses.amax(0), rtol=1e-4, atol=1e-6
    )


def test_views_are_maps_in_range_and_leave_the_model_as_it_was(images: torch.Tensor) -> None:
    model = create_model("dynamic_block").train()
    angles, found = pose_angles(model, images), probabilities(model, images)
    assert angles.shape == found.shape == (2, 20, 24)
    assert angles.abs().max() <= math.pi
    assert 0 <= found.min() <= found.max() <= 1
    assert model.training


def test_models_without_angles_and_other_blocks_are_refused(images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="SmallFCN estimates no angle"):
        pose_angles(create_model("small_fcn"), images)
    block = create_model("dynresnet", in_channels=1, width=0.05).blocks[0].block
    with pytest.raises(ValueError, match="a gradient has two maps of one channel"):
        gradient_magnitude(block, torch.rand(1, 3, 20, 20))
