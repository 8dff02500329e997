"""Patches, their moments, and the attribute axes' geometry."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from structnets.nn._attribute_axes import AttributeAxes, Run
from structnets.nn._spatial_patches import Patches, patch_moments


def patches_of(padded: torch.Tensor, size: int, stride: int) -> torch.Tensor:
    """All patches as columns, by torch's unfold."""
    columns = functional.unfold(
        padded.permute(3, 0, 1, 2).flatten(0, 1)[:, None], size, 1, 0, stride
    )
    return columns.movedim(1, 0).flatten(1)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (1, 1), (5, 2)])
def test_moments_are_those_of_all_patches(size: int, stride: int) -> None:
    padded = torch.randn(2, 7, 8, 3, dtype=torch.float64) + 3
    mean, covariance = patch_moments(padded, Patches((2, 7, 8, 3), size, stride))
    columns = patches_of(padded, size, stride)
    torch.testing.assert_close(mean, columns.mean(1))
    torch.testing.assert_close(covariance, columns.cov(correction=0).reshape(covariance.shape))


def test_gradient_of_moments_against_numerical_ones() -> None:
    padded = torch.randn(2, 4, 5, 2, dtype=torch.float64, requires_grad=True)
    geometry = Patches((2, 4, 5, 2), 3, 2)
    assert torch.autograd.gradcheck(lambda x: patch_moments(x, geometry), (padded,))


@pytest.mark.parametrize("most", [1, 5, 12, 20, 1000])
def test_pieces_cover_every_place_once(most: int) -> None:
    geometry = Patches((3, 6, 7, 1), 3, 1)
    covered = [n for piece in geometry.pieces(most) for n in range(60)[piece.places]]
    assert covered == list(range(60))
    largest = max(piece.places.stop - piece.places.start for piece in geometry.pieces(most))
    assert largest <= max(most, 5)


def test_scattering_is_the_adjoint_of_gathering() -> None:
    geometry = Patches((2, 6, 5, 3), 3, 2)
    x, y = torch.randn(2, 6, 5, 3), torch.randn(9, geometry.count)
    (piece,) = geometry.pieces(1000)
    gathered, scattered = torch.empty(9, geometry.count), torch.zeros(2, 6, 5, 3)
    geometry.gather(x, piece, gathered)
    geometry.scatter_add(y, piece, scattered)
    torch.testing.assert_close((gathered * y).sum(), (x * scattered).sum())


def test_runs_by_hand() -> None:
    """Five samples, five taps, step 2: zeros cut the runs, a circle splits them."""
    zeros = AttributeAxes((5, 1), (5, 1))
    assert zeros.runs == ((Run(0, 2, 3),), (Run(0, 0, 5),), (Run(2, 0, 3),))
    circle = AttributeAxes((5, 1), (5, 1), padding="circular")
    assert circle.runs[0] == (Run(3, 0, 2), Run(0, 2, 3))
    assert (zeros.taps(0), circle.taps(0)) == (11, 15)


def test_circular_padding_wider_than_the_axis_is_refused() -> None:
    AttributeAxes((4, 8), (11, 11))
    AttributeAxes((8, 8), (11, 11), padding="circular")
    with pytest.raises(ValueError, match=r"padding of 5 \(support 11\) exceeds .* axis of 4"):
        AttributeAxes((4, 8), (11, 11), padding="circular")
