"""Figure 10's controls: the block by the letter, and the convolutional net by number of filters."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.models.blob_controls import literal_block, small_fcn
from structnets.models.blobs import SmallFCN
from structnets.models.counting import trained_parameters


def test_the_literal_block_estimates_one_angle_by_three_tanh_layers() -> None:
    block = literal_block()
    network = list(block.block.pose_network)
    convolutions = [m for m in network if isinstance(m, nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [16, 16, 1]
    assert {c.dilation for c in convolutions} == {(1, 1)}
    assert sum(isinstance(m, nn.Tanh) for m in network) == 2  # an angle has no bounds
    (pose,) = block.eval().outputs(torch.rand(1, 1, 32, 32)).poses
    assert pose.amplitude is None


def test_a_steered_gradient_is_bounded_by_the_gradient() -> None:
    """What keeps the block by the letter undecided where there is little contrast."""
    torch.manual_seed(0)
    block = literal_block().eval()
    flat = 0.5 + 1e-4 * torch.rand(1, 1, 32, 32)
    inside = block(flat)[..., 4:-4, 4:-4]
    assert inside.abs().max() < 0.01


@pytest.mark.parametrize("filters", [3, 5, 7])
def test_filters_are_as_many_as_asked(filters: int) -> None:
    model = small_fcn(filters=filters)
    assert model.filters.out_channels == filters
    assert model(torch.rand(2, 1, 32, 32)).shape == (2, 1, 32, 32)
    if filters == 7:
        assert trained_parameters(model) == trained_parameters(SmallFCN())


def test_no_filters_are_refused() -> None:
    with pytest.raises(ValueError, match="filters must be >= 1, got 0"):
        small_fcn(filters=0)
