"""The checks a user can run, on modules whose errors are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from structnets.nn import HarmonicConv2d, check_collapse, check_equivariance, check_inverse
from structnets.nn.harmonic_conv import magnitudes


class Halving(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x / 2

    def inverse(self, y: Tensor) -> Tensor:
        return 2.2 * y


def test_a_wrong_inverse_has_its_error() -> None:
    found = check_inverse(Halving(), torch.ones(1, 4))
    assert found == {"input": pytest.approx(0.1), "output": pytest.approx(0.1)}
    with pytest.raises(TypeError, match="no inverse"):
        check_inverse(nn.ReLU(), torch.ones(1))


def test_equivariance_of_harmonic_magnitudes_and_of_a_plain_convolution() -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 1, 1, 2, 9, 9)
    layer = HarmonicConv2d(2, 3, real_input=True)
    turn = lambda maps: maps.rot90(1, (-2, -1))  # noqa: E731
    assert check_equivariance(lambda x: magnitudes(layer(x)), x, turn) < 1e-5
    assert check_equivariance(nn.Conv2d(2, 3, 3, padding=1), x[0, 0], turn) > 0.1
    with pytest.raises(ValueError, match="give an `after`"):
        check_equivariance(nn.AvgPool2d(2), x[0, 0], turn, lambda maps: maps[..., 1:])


def test_imaginary_parts_count() -> None:
    x = torch.ones(1, 1, 4, 4, dtype=torch.complex64)
    assert check_equivariance(lambda maps: maps + 1j, x, torch.conj) == pytest.approx(2**0.5)


def test_a_model_equals_its_plain_form() -> None:
    assert check_collapse(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()), torch.ones(1, 1, 5, 5)) == 0
    with pytest.raises(ValueError, match="answers with zeros"):
        check_collapse(nn.ReLU(), -torch.ones(1))
