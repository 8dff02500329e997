"""`LearnedBasisConv2d`: equal to its collapsed convolution, and both factors learn."""

from __future__ import annotations

import pytest
import torch

from structnets.nn import LearnedBasisConv2d


@pytest.fixture
def layer() -> LearnedBasisConv2d:
    torch.manual_seed(0)
    return LearnedBasisConv2d(3, 5, atoms=4, kernel_size=5, stride=2, padding="valid")


def test_collapsed_convolution_is_equal(layer: LearnedBasisConv2d) -> None:
    x = torch.randn(2, 3, 11, 12)
    plain = layer.collapse()
    torch.testing.assert_close(layer(x), plain(x))
    assert sum(p.numel() for p in plain.parameters()) == layer.collapsed_parameters()


def test_filters_first_then_mixing_is_equal(layer: LearnedBasisConv2d) -> None:
    """The factorised net of Table 2: depthwise basis, then 1x1."""
    x = torch.randn(2, 3, 11, 12)
    basis = layer.basis_kernels[:, None].repeat(3, 1, 1, 1)
    maps = torch.nn.functional.conv2d(x, basis, stride=2, groups=3)
    mixed = torch.nn.functional.conv2d(maps, layer.alpha.flatten(1)[..., None, None], layer.bias)
    torch.testing.assert_close(layer(x), mixed)


def test_both_factors_get_gradients(layer: LearnedBasisConv2d) -> None:
    layer(torch.randn(2, 3, 11, 12)).square().sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in layer.parameters())


def test_initialisation_has_he_variance() -> None:
    torch.manual_seed(0)
    energy = LearnedBasisConv2d(64, 64, 30, 7).kernel().detach().square().sum((1, 2, 3)).mean()
    assert float(energy) == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"atoms": 0}, "atoms must be >= 1, got 0"),
        ({"kernel_size": 4}, "odd and positive, got 4"),
        ({"padding": "circular"}, "one of same, valid, full; got 'circular'"),
    ],
)
def test_bad_arguments_are_named(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LearnedBasisConv2d(1, 1, **{"atoms": 2, "kernel_size": 3, **options})
