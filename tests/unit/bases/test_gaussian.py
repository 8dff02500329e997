"""Gaussian derivative bases: Eq. 20 and 21, atoms, multi-scale rule, golden values."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from structnets.bases.discretisation import hermite
from structnets.bases.gaussian import (
    GaussianBasis,
    atom_exponents,
    gaussian_derivative,
    scales_of_layer,
)
from structnets.bases.scales import as_scales


@pytest.mark.parametrize("order", range(1, 7))
def test_each_order_is_the_numerical_derivative_of_the_one_before(order: int) -> None:
    step, u = 1e-5, np.linspace(-4, 4, 81)

    def curve(n: int, at: np.ndarray) -> np.ndarray:
        return (-1) ** n * hermite(n, at) * np.exp(-0.5 * at**2)

    numerical = (curve(order - 1, u + step) - curve(order - 1, u - step)) / (2 * step)
    np.testing.assert_allclose(curve(order, u), numerical, atol=1e-7)


@pytest.mark.parametrize("order", range(5))
def test_scale_semigroup(order: int) -> None:
    """Eq. 21: a derivative at sqrt(j^2 + n^2) is the one at j blurred by n (norm: none)."""
    j, n, radius = 2.0, 1.5, 30
    fine = gaussian_derivative(order, j, radius, "none")
    blur = gaussian_derivative(0, n, radius)
    coarse = gaussian_derivative(order, np.hypot(j, n), 2 * radius, "none")
    np.testing.assert_allclose(np.convolve(fine, blur), coarse, atol=1e-6)


@pytest.mark.parametrize("order", range(1, 5))
def test_response_to_a_monomial_is_its_derivative(order: int) -> None:
    """Convolving x^n with the plain n-th derivative gives n! everywhere."""
    radius = 30
    x = np.arange(-radius, radius + 1.0)
    response = (gaussian_derivative(order, 3.0, radius, "none")[::-1] * x**order).sum()
    assert response == pytest.approx(np.prod(np.arange(1, order + 1)), rel=1e-6)


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("order", range(6))
def test_number_of_atoms(order: int, dims: int) -> None:
    exponents = atom_exponents(order, dims)
    assert len(exponents) == len(set(exponents)) == comb(order + dims, dims)


def test_atoms_of_one_scale_are_independent() -> None:
    kernels = GaussianBasis(order=4, sigmas=(2.0,)).kernels
    assert np.linalg.matrix_rank(kernels.reshape(len(kernels), -1)) == 15


def test_kernels_are_outer_products_of_their_profiles() -> None:
    basis = GaussianBasis(order=2, sigmas=(1.0, 2.0), dims=3)
    z, y, x = basis.profiles[basis.factors[-1]]
    np.testing.assert_array_equal(basis.kernels[-1], np.einsum("z,y,x->zyx", z, y, x))


def test_golden_norms() -> None:
    """L2 norms at sigma 1 on seven points, computed from the released code's formula."""
    norms = [np.linalg.norm(gaussian_derivative(n, 1.0, 3)) for n in range(5)]
    np.testing.assert_allclose(norms, [0.531, 0.375, 0.463, 0.710, 1.443], atol=6e-4)


def test_values_by_hand() -> None:
    """At sigma 1 on three points, e = exp(-1/2): g = (e, 1, e) / (1 + 2 e)."""
    e = np.exp(-0.5)
    g = np.array([e, 1, e]) / (1 + 2 * e)
    np.testing.assert_allclose(gaussian_derivative(0, 1, 1), g)
    np.testing.assert_allclose(gaussian_derivative(1, 1, 1), [g[0], 0, -g[2]])
    np.testing.assert_allclose(gaussian_derivative(2, 1, 1), [0, -g[1], 0], atol=1e-16)


def test_scale_normalisation_is_sigma_to_the_order() -> None:
    scaled = gaussian_derivative(3, 2.5, 8, "scale")
    np.testing.assert_allclose(scaled, 2.5**3 * gaussian_derivative(3, 2.5, 8, "none"))


def test_order_of_the_atoms() -> None:
    x, y = (1, 0), (0, 1)
    third = ((3, 0), (0, 3), (2, 1), (1, 2))
    assert atom_exponents(3) == ((0, 0), x, y, (2, 0), (0, 2), (1, 1), *third)
    assert atom_exponents(4)[10:] == ((4, 0), (0, 4), (3, 1), (1, 3), (2, 2))


def test_x_derivative_varies_along_the_last_axis() -> None:
    along_x = GaussianBasis(order=1).kernels[1]
    np.testing.assert_allclose(along_x, along_x[::-1])
    np.testing.assert_allclose(along_x, -along_x[:, ::-1])
    assert along_x[3, 4] < 0


@pytest.mark.parametrize(
    ("order", "counts"),
    [(1, [9, 7, 5, 3]), (2, [21, 16, 11, 6]), (3, [37, 28, 19, 10]), (4, [57, 43, 29, 15])],
)
def test_multi_scale_counts_of_the_four_layers(order: int, counts: list[int]) -> None:
    layers = [GaussianBasis(order, scales_of_layer(i, 4)) for i in range(1, 5)]
    assert [len(layer) for layer in layers] == counts


def test_default_support_is_three_sigma() -> None:
    assert GaussianBasis(3, (1.5,)).kernels.shape == (10, 11, 11)
    assert GaussianBasis(2, (1.0,)).kernels.shape == (6, 7, 7)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": -1}, "order must be an integer >= 0, got -1"),
        ({"order": 2.5}, "order must be an integer >= 0, got 2.5"),
        ({"order": 10**9}, "order must be at most 20"),
        ({"order": 1, "sigmas": float("nan")}, "positive and ascending, got nan"),
        ({"order": 1, "sigmas": (1.0, float("inf"))}, "positive and ascending"),
        ({"order": 1, "sigmas": (2.0, 1.0)}, "ascending"),
        ({"order": 1, "sigmas": ()}, "positive and ascending"),
        ({"order": 1, "kernel_size": 4}, "odd and positive, got 4"),
        ({"order": 1, "dims": 4}, "dims must be 1, 2 or 3, got 4"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GaussianBasis(**arguments)


@pytest.mark.parametrize("sigmas", ["12", None, True, [None], b"1"])
def test_scales_that_are_no_numbers_are_refused(sigmas: object) -> None:
    with pytest.raises(TypeError, match="sigmas must be a number or a sequence of numbers"):
        as_scales(sigmas)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("sigmas", [2, np.float64(2), np.array([2.0]), np.array(2.0), [2]])
def test_a_number_is_one_scale(sigmas: float) -> None:
    assert as_scales(sigmas) == (2.0,)


def test_bad_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="'scale' or 'none', got 'l2'"):
        gaussian_derivative(1, 1.0, 3, "l2")  # type: ignore[arg-type]
