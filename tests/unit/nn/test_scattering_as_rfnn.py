"""Section 3.3.2: scattering is a special case of an RFNN for fixed angles and scales.

Weights of a structured layer are set once so that its filters are Morlet wavelets; a modulus and an
average behind it, and the layer again, are a scattering network. Nothing is learned.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from kymatio.scattering2d.filter_bank import morlet_2d
from torch import Tensor
from torch.nn import functional

from structnets.bases.gaussian import GaussianBasis
from structnets.nn import GaussianConv2d

ANGLES, WIDTH = 4, 31
# A scale of the basis that is near the best for each order, with an envelope of 1.6 pixels.
SCALES = {2: 1.1, 3: 1.3, 4: 1.3, 6: 1.4, 8: 1.4}


def wavelets(slant: float) -> np.ndarray:
    """Kymatio's Morlet wavelets of scale j = 1, (angles, 31, 31) complex; slant 1 is round."""
    angles = [math.pi * k / ANGLES for k in range(ANGLES)]
    found = [morlet_2d(32, 32, 1.6, angle, 3 * math.pi / 8, slant) for angle in angles]
    return np.stack([np.fft.fftshift(one)[1:, 1:] for one in found])


def layer(order: int, slant: float) -> tuple[GaussianConv2d, float]:
    """A structured layer whose filters are nearest to the wavelets' parts, and how far they are."""
    sigmas = (SCALES[order],)
    basis = GaussianBasis(order, sigmas, kernel_size=WIDTH).kernels.reshape(-1, WIDTH**2)
    wanted = wavelets(slant)
    parts = np.concatenate([wanted.real, wanted.imag]).reshape(2 * ANGLES, -1)
    weights = np.linalg.lstsq(basis.T, parts.T, rcond=None)[0].T
    error = float(np.linalg.norm(weights @ basis - parts) / np.linalg.norm(parts))
    made = GaussianConv2d(
        1, 2 * ANGLES, order=order, sigmas=sigmas, kernel_size=WIDTH, padding=15, bias=False
    )
    with torch.no_grad():
        made.alpha.copy_(torch.from_numpy(weights)[:, None])
    return made.eval(), error


def paths(maps: Tensor) -> Tensor:
    """Modulus of the real and imaginary parts (B, 2 L, H, W)."""
    return torch.hypot(*maps.chunk(2, dim=1))


def average(maps: Tensor) -> Tensor:
    """The average over windows of 8 pixels, every fourth place."""
    return functional.avg_pool2d(maps, 8, 4)


@pytest.mark.parametrize(
    ("order", "slant", "error"),
    [(2, 1.0, 0.30), (3, 1.0, 0.136), (4, 1.0, 0.055), (8, 1.0, 0.0012), (4, 0.5, 0.36)],
)
def test_round_wavelets_are_weighted_derivatives(order: int, slant: float, error: float) -> None:
    """Order 4, the thesis' highest, leaves 5 % of a round wavelet; of elongated ones a third."""
    assert layer(order, slant)[1] == pytest.approx(error, rel=0.1)


@torch.no_grad()
def test_two_structured_layers_scatter_like_wavelets() -> None:
    made, _ = layer(8, 1.0)
    wanted = wavelets(1.0)
    filters = torch.from_numpy(np.concatenate([wanted.real, wanted.imag])[:, None]).float()
    images = torch.randn(2, 1, 40, 40, generator=torch.Generator().manual_seed(0))

    def direct(maps: Tensor) -> Tensor:
        # Layers correlate, as everywhere in networks.
        return functional.conv2d(maps, filters, padding=15)

    for convolve in (made, direct):
        first = paths(convolve(images))
        second = torch.cat([paths(convolve(first[:, k : k + 1])) for k in range(ANGLES)], 1)
        found = torch.cat([average(images), average(first), average(second)], 1)
        if convolve is made:
            scattered = found
    assert found.shape[1] == 1 + ANGLES + ANGLES**2
    assert (scattered - found).norm() < 0.005 * found.norm()
    assert found[:, 1:].std() > 0.01
