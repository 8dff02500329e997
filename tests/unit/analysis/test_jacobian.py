"""Differentials: against torch's own, by hand, exact against matrix-free, error paths."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from structnets.analysis.jacobian import Spectrum, exact_spectrum, jacobian, leading_spectrum
from structnets.models.irevnet import IRevNet


@pytest.mark.parametrize("batch_size", [1, 7, 500])
def test_matrix_is_torch_s(batch_size: int) -> None:
    torch.manual_seed(0)
    function, x = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh()).eval(), torch.randn(1, 2, 5, 4)
    expected = torch.func.jacrev(function)(x).reshape(18, 40)
    torch.testing.assert_close(jacobian(function, x, batch_size), expected)
    assert all(p.requires_grad for p in function.parameters())


def test_matrix_of_a_net_and_of_its_inverse_are_inverse(
    exact_net: IRevNet, images: torch.Tensor
) -> None:
    x = images[:1].double()
    forward = jacobian(exact_net.encode, x)
    backward = jacobian(exact_net.inverse, exact_net.encode(x).detach())
    torch.testing.assert_close(
        forward @ backward, torch.eye(192, dtype=torch.float64), rtol=0, atol=1e-9
    )


def test_down_sampling_alone_is_orthogonal(exact_net: IRevNet, images: torch.Tensor) -> None:
    values = exact_spectrum(exact_net.features[0], images[:1].double()).values
    torch.testing.assert_close(values, torch.ones_like(values))


def test_leading_values_are_the_exact_ones(exact_net: IRevNet, images: torch.Tensor) -> None:
    x = images[:1].double()
    exact = exact_spectrum(exact_net.encode, x)
    leading = leading_spectrum(exact_net.encode, x, 10, iterations=8)
    torch.testing.assert_close(leading.values, exact.values[:10], rtol=1e-3, atol=0)
    assert leading.energy == pytest.approx(exact.energy, rel=0.03)
    assert (leading.total, len(leading.values)) == (192, 10)


def test_leading_values_of_a_matrix_are_its_singular_values() -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Flatten(), nn.Linear(12, 20, bias=False).double()).eval()
    x = torch.zeros(1, 3, 2, 2, dtype=torch.float64)
    expected = torch.linalg.svdvals(layer[1].weight.detach())
    found = leading_spectrum(layer, x, 12, iterations=1, batch_size=5)
    torch.testing.assert_close(found.values, expected)


def test_cumulated_energy_by_hand() -> None:
    spectrum = Spectrum(torch.tensor([3.0, 2.0, 1.0]), 16.0, 5)
    assert spectrum.cumulated_energy().tolist() == [9 / 16, 13 / 16, 14 / 16]
    assert [spectrum.count_for(share) for share in (0.5, 0.8125, 0.9)] == [1, 2, None]


def test_bad_input_is_named(net: IRevNet, images: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"one image, .* got \(6, 3, 8, 8\)"):
        jacobian(net.encode, images)
    with pytest.raises(ValueError, match="batch_size must be >= 1, got 0"):
        jacobian(net.encode, images[:1], 0)
    with pytest.raises(ValueError, match="count must be from 1 to the 192 pixel values, got 193"):
        leading_spectrum(net.encode, images[:1], 193)
    with pytest.raises(ValueError, match="must be in eval mode"):
        exact_spectrum(nn.BatchNorm2d(3), images[:1])


@pytest.mark.parametrize("values", [[10.0] + [0.1] * 47, [1 / n for n in range(1, 49)]])
def test_energy_is_that_of_the_matrix_where_few_values_hold_it(values: list[float]) -> None:
    known = torch.tensor(values, dtype=torch.float64)
    mixing = torch.linalg.qr(torch.randn(48, 48, dtype=torch.float64)).Q
    matrix = mixing @ known.diag() @ mixing.T
    x = torch.randn(1, 3, 4, 4, dtype=torch.float64)
    found = leading_spectrum(lambda images: images.flatten(1) @ matrix, x, 8, oversampling=4)
    assert found.energy == pytest.approx(float(known.square().sum()), rel=0.02)
    whole = leading_spectrum(lambda images: images.flatten(1) @ matrix, x, 48)
    assert whole.energy == pytest.approx(float(known.square().sum()), rel=1e-9)
