"""`SpaceToDepth`: a permutation with the layout of the released code, and its inverse."""

from __future__ import annotations

import pytest
import torch

from structnets.nn import SpaceToDepth


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_inverse_is_exact_and_the_adjoint(size: int) -> None:
    layer, x = SpaceToDepth(size), torch.randn(2, 3, 12, 24)
    y = layer(x)
    assert y.shape == (2, 3 * size**2, 12 // size, 24 // size)
    assert torch.equal(layer.inverse(y), x)
    other = torch.randn_like(y)
    torch.testing.assert_close((y * other).sum(), (x * layer.inverse(other)).sum())


def test_offsets_vary_slowest_by_hand() -> None:
    """Two channels of 2 x 2 pixels: first all channels at (0, 0), then at (0, 1), and so on."""
    x = torch.tensor([[[0.0, 1.0], [2.0, 3.0]], [[10.0, 11.0], [12.0, 13.0]]])[None]
    assert SpaceToDepth(2)(x).flatten().tolist() == [0, 10, 1, 11, 2, 12, 3, 13]


def test_one_hands_on_the_tensor_itself() -> None:
    x = torch.zeros(1, 1, 3, 3)
    assert SpaceToDepth(1)(x) is x


def test_odd_side_is_named() -> None:
    with pytest.raises(ValueError, match="multiples of 2, got 4 x 5: pad or resize"):
        SpaceToDepth(2)(torch.zeros(1, 1, 4, 5))


def test_channels_that_are_no_squares_are_named() -> None:
    with pytest.raises(ValueError, match="a multiple of 4 channels, got 6"):
        SpaceToDepth(2).inverse(torch.zeros(1, 6, 2, 2))


def test_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be >= 1, got 0"):
        SpaceToDepth(0)
