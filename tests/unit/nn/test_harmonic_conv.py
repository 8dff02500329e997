"""Harmonic convolutions: maps turn with the image, magnitudes do not change."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from structnets.bases.harmonic import harmonic_rings
from structnets.nn.harmonic_conv import (
    HarmonicConv2d,
    MagnitudeNorm,
    MagnitudeReLU,
    magnitudes,
)


@pytest.fixture
def layers() -> nn.Sequential:
    torch.manual_seed(0)
    model = nn.Sequential(
        HarmonicConv2d(3, 4, orders=3, real_input=True),
        MagnitudeReLU(4, 3),
        HarmonicConv2d(4, 5, 7, orders=3),
        MagnitudeNorm(5, 3),
    ).double()
    nn.init.normal_(model.get_parameter("1.bias"), std=0.1)
    return model.eval()


def test_quarter_turns_of_the_image_turn_features_by_their_order(layers) -> None:
    x = torch.randn(2, 1, 1, 3, 14, 14, dtype=torch.float64)
    straight = layers(x)
    turned = layers(torch.rot90(x, -1, (4, 5)))
    back = torch.rot90(turned, 1, (4, 5))
    torch.testing.assert_close(magnitudes(back), magnitudes(straight), rtol=1e-5, atol=1e-6)
    for order in range(3):
        found = torch.complex(back[:, order, 0], back[:, order, 1])
        expected = torch.complex(straight[:, order, 0], straight[:, order, 1])
        phase = np.exp(1j * order * math.pi / 2)
        torch.testing.assert_close(found, expected * phase, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("order", [0, 1, 2])
def test_rings_answer_a_turned_blob_by_a_phase(order: int) -> None:
    """At any angle, up to 2 % by the sampling of the filters."""
    rings = harmonic_rings(order, 9, 3)[1]
    line = np.arange(9) - 4
    y, x = np.meshgrid(line, line, indexing="ij")

    def answer(angle: float) -> complex:
        centre = 2 * np.cos(angle), 2 * np.sin(angle)
        blob = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / 4)
        return complex((rings * blob).sum())

    turned = [answer(angle) / np.exp(1j * order * angle) for angle in (0.0, 0.4, 1.0, 2.9)]
    np.testing.assert_allclose(turned, turned[0], atol=0.02 * abs(turned[0]))


def test_rings_are_normed_and_orders_orthogonal() -> None:
    zero, one = harmonic_rings(0, 5), harmonic_rings(1, 5)
    np.testing.assert_allclose((np.abs(zero) ** 2).sum((1, 2)), 1)
    np.testing.assert_allclose(np.einsum("rkl,skl->rs", zero, one.conj()), 0, atol=1e-12)
    np.testing.assert_allclose(one[:, 2, 2], 0, atol=1e-12)


def test_complex_arithmetic_by_hand() -> None:
    """One input and output order each: the real filters are those of a complex product."""
    layer = HarmonicConv2d(1, 1, 3, rings=1, orders=2)
    nn.init.ones_(layer.profiles)
    nn.init.zeros_(layer.phases)
    zero, one = (torch.tensor(harmonic_rings(m, 3, 1)[0]).to(torch.complex64) for m in (0, 1))
    kernel = layer.kernel()  # rows: order 0 re, im, order 1 re, im; columns alike
    expected_row = torch.stack([zero.real, -zero.imag, one.real, one.imag])
    torch.testing.assert_close(kernel[0], expected_row)
    expected_row = torch.stack([one.imag, one.real, zero.imag, zero.real])
    torch.testing.assert_close(kernel[3], expected_row)
    expected_row = torch.stack([zero.imag, zero.real, -one.imag, one.real])
    torch.testing.assert_close(kernel[1], expected_row)


def test_collapsed_layer_is_the_same() -> None:
    layer = HarmonicConv2d(2, 3)
    x = torch.randn(1, 2, 2, 2, 8, 9)
    plain = layer.collapse()
    torch.testing.assert_close(plain(x), layer(x))
    assert sum(p.numel() for p in plain.parameters()) == layer.collapsed_parameters()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: HarmonicConv2d(1, 1, 4), "odd and >= 3, got 4"),
        (lambda: HarmonicConv2d(1, 1, orders=0), "orders must be >= 1, got 0"),
        (lambda: HarmonicConv2d(1, 1, rings=0), "rings must be >= 1, got 0"),
        (lambda: harmonic_rings(-1, 3), "order must be >= 0, got -1"),
        (
            lambda: HarmonicConv2d(3, 1)(torch.zeros(1, 1, 1, 3, 8, 8)),
            r"\(B, 2, 2, 3, H, W\), got \(1, 1, 1, 3, 8, 8\)",
        ),
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


@pytest.mark.parametrize("layer", [MagnitudeReLU(3), MagnitudeNorm(3)])
def test_half_precision_has_magnitudes_above_256(layer: nn.Module) -> None:
    x = 1000 * torch.randn(2, 2, 2, 3, 5, 5)
    wide = layer(x).detach()
    narrow = copy.deepcopy(layer).half()(x.half())
    assert narrow.dtype == torch.float16
    torch.testing.assert_close(narrow.float(), wide, rtol=0.01, atol=0.01 * float(wide.abs().max()))
