"""Discretisations of Gaussian derivatives: moments, polynomials, semigroup, limit, steering."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from structnets.bases.discretisation import (
    DISCRETISATIONS,
    central_difference,
    derivative_taps,
    relative_difference,
    smoothing_weights,
)
from structnets.bases.gaussian import GaussianBasis, atom_exponents
from structnets.bases.steering import evaluate_derivative, rotation_matrix

HYBRIDS = [name for name in DISCRETISATIONS if name.startswith("hybrid")]
SIGMAS = [0.4, 1.0, 2.5]


def grid(taps: np.ndarray) -> np.ndarray:
    return np.arange(len(taps)) - len(taps) // 2.0


def moment(taps: np.ndarray, degree: int) -> float:
    """What the filter, flipped as a convolution flips it, answers to x^degree at 0."""
    return float((taps[::-1] * grid(taps) ** degree).sum())


@pytest.mark.parametrize("kind", ["sampled", "integrated"])
@pytest.mark.parametrize("sigma", SIGMAS)
def test_smoothing_keeps_a_constant_and_falls_to_both_sides(sigma: float, kind: str) -> None:
    weights = smoothing_weights(sigma, 12, kind)
    assert weights.sum() == pytest.approx(1, abs=1e-15)
    np.testing.assert_array_equal(weights, weights[::-1])
    assert (np.diff(weights[12:]) <= 0).all()


@pytest.mark.parametrize("sigma", [1.0, 2.0, 5.0])
def test_variance_of_the_smoothing(sigma: float) -> None:
    """sigma^2 sampled (by Poisson's sum), and that of a pixel more where integrated."""
    radius = math.ceil(8 * sigma)
    variances = [
        moment(smoothing_weights(sigma, radius, kind), 2) for kind in ("sampled", "integrated")
    ]
    assert variances == pytest.approx([sigma**2, sigma**2 + 1 / 12], rel=1e-6)


def test_default_smoothing_loses_less_than_a_thousandth() -> None:
    for sigma in (0.5, 1.0, 1.7, 4.0, 16.0):
        radius = GaussianBasis(2, (sigma,), discretisation="hybrid").radius - 1
        wide = smoothing_weights(sigma, 4 * radius)
        assert 1 - wide[3 * radius : 5 * radius + 1].sum() < 1e-3


@pytest.mark.parametrize("order", range(7))
def test_central_difference_of_polynomials(order: int) -> None:
    taps = central_difference(order)
    moments = [moment(taps, degree) for degree in range(order + 1)]
    assert moments == pytest.approx([0.0] * order + [math.factorial(order)], abs=1e-12)


@pytest.mark.parametrize("discretisation", HYBRIDS)
@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("order", range(5))
def test_hybrid_derivatives_of_polynomials_are_exact_however_cut(
    order: int, sigma: float, discretisation
) -> None:
    for radius in (2, 5, 30):
        taps = derivative_taps(order, sigma, radius, discretisation) / sigma**order
        moments = [moment(taps, degree) for degree in range(order + 1)]
        assert moments == pytest.approx([0.0] * order + [math.factorial(order)], abs=1e-6)


def test_sampled_derivatives_of_polynomials_are_not_at_fine_scales() -> None:
    """The figures in the module's text, and why one may want another discretisation."""
    taps = derivative_taps(2, 0.5, 8, "sampled") / 0.25
    assert [moment(taps, 0), moment(taps, 2)] == pytest.approx([-0.5598, 2.6815], abs=1e-3)


@pytest.mark.parametrize("order", range(5))
def test_integrated_derivatives_are_the_integrals(order: int) -> None:
    """Against a midpoint rule of 400 points a pixel."""
    sigma, radius, parts = 0.8, 6, 400
    offsets = (np.arange(parts) + 0.5) / parts - 0.5
    points = np.arange(-radius, radius + 1)[:, None] + offsets
    one = np.zeros_like(points)
    # The one-dimensional derivative is the two-dimensional one at y = 0 over G(0).
    values = evaluate_derivative((order, 0), sigma, points, one) * sigma * math.sqrt(2 * math.pi)
    taps = derivative_taps(order, sigma, radius, "integrated")
    np.testing.assert_allclose(taps, values.mean(1), atol=1e-5)


@pytest.mark.parametrize("order", range(5))
def test_scale_semigroup_of_hybrid_derivatives(order: int) -> None:
    """A derivative at sigma 1.2 blurred by 1.6 is the one at 2 (unnormalised, not cut)."""
    fine, blur, coarse = (smoothing_weights(s, 40) for s in (1.2, 1.6, 2.0))
    difference = central_difference(order)
    found = np.convolve(np.convolve(fine, difference), blur, "same")
    expected = np.convolve(coarse, difference)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_integrated_gaussians_have_one_pixel_too_many_for_the_semigroup() -> None:
    twice = np.convolve(smoothing_weights(1.2, 30, "integrated"), smoothing_weights(1.6, 30))
    assert np.abs(twice - smoothing_weights(2.0, 60, "integrated")).max() < 1e-5
    both = np.convolve(*[smoothing_weights(s, 30, "integrated") for s in (1.2, 1.6)])
    assert moment(both, 2) == pytest.approx(4 + 2 / 12, rel=1e-5)


@pytest.mark.parametrize("discretisation", DISCRETISATIONS[1:])
@pytest.mark.parametrize("order", range(1, 5))
def test_all_become_the_sampled_derivative_as_one_over_sigma_squared(
    order: int, discretisation
) -> None:
    errors = [relative_difference(order, sigma, discretisation) for sigma in (4.0, 8.0, 16.0)]
    assert errors[-1] < 0.01
    for finer, coarser in itertools.pairwise(errors):
        # Where the Gaussian is cut leaves some 1e-4 that do not fall.
        assert coarser == pytest.approx(finer / 4, rel=0.1, abs=4e-4)


def test_differences_at_usual_scales() -> None:
    """Golden: relative L2 from the sampled derivative, orders 1 to 4 at sigma 1 and 2."""
    golden = [[0.270, 0.221, 0.591, 0.574], [0.0773, 0.0594, 0.217, 0.184]]
    found = [[relative_difference(n, s, "hybrid") for n in range(1, 5)] for s in (1.0, 2.0)]
    np.testing.assert_allclose(found, golden, rtol=0.01)


@pytest.mark.parametrize("discretisation", DISCRETISATIONS)
def test_quarter_turns_are_exact(discretisation) -> None:
    basis = GaussianBasis(4, (1.2,), 15, discretisation=discretisation)
    exponents = [(e[0], e[1]) for e in atom_exponents(4)]
    steered = np.einsum("nm,mkl->nkl", rotation_matrix(exponents, math.pi / 2), basis.kernels)
    np.testing.assert_allclose(steered, np.rot90(basis.kernels, -1, (1, 2)), atol=1e-13)


@pytest.mark.parametrize("discretisation", HYBRIDS)
def test_steering_by_any_angle_nears_the_turned_derivative(discretisation) -> None:
    """At 30 degrees, third order: the error falls fourfold from sigma 2 to 4."""
    exponents, angle = [(3, 0), (2, 1), (1, 2), (0, 3)], math.pi / 6
    errors = []
    for sigma in (2.0, 4.0):
        basis = GaussianBasis(3, (sigma,), discretisation=discretisation)
        of = dict(zip([a.exponents for a in basis.atoms], basis.kernels, strict=True))
        steered = np.einsum(
            "m,mkl->kl", rotation_matrix(exponents, angle)[0], [of[e] for e in exponents]
        )
        points = np.arange(-basis.radius, basis.radius + 1.0)
        x, y = np.meshgrid(points, points)
        c, s = math.cos(angle), math.sin(angle)
        turned = evaluate_derivative((3, 0), sigma, c * x + s * y, -s * x + c * y)
        errors.append(np.linalg.norm(steered - turned) / np.linalg.norm(turned))
    assert errors[1] < 0.06
    assert errors[1] == pytest.approx(errors[0] / 4, rel=0.2)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_hybrid_kernels_are_the_smoothing_under_small_differences(dims: int) -> None:
    """The zero order is the smoothing; second differences of it are the second order."""
    basis = GaussianBasis(2, (1.3,), dims=dims, discretisation="hybrid")
    smoothing = basis.kernels[0]
    along_x = np.apply_along_axis(np.convolve, -1, smoothing, [1, -2, 1], "same") * 1.3**2
    place = [a.exponents for a in basis.atoms].index((2, *[0] * (dims - 1)))
    np.testing.assert_allclose(basis.kernels[place], along_x, atol=1e-15)


def test_scales_of_a_hybrid_basis_are_cut_where_each_needs() -> None:
    """Else the tails of a fine scale on a wide support are subnormal numbers, which are slow."""
    basis = GaussianBasis(2, (1.0, 8.0), discretisation="hybrid")
    assert basis.radius == 38 + 1  # 4.7 sigma and a difference
    assert np.count_nonzero(basis.profiles[0]) == 9


def test_unnormalised_taps_are_divided_by_sigma_to_the_order() -> None:
    scaled, plain = (
        GaussianBasis(2, (2.5,), norm=norm, discretisation="hybrid").profiles
        for norm in ("scale", "none")
    )
    np.testing.assert_allclose(scaled, plain * np.array([[1], [2.5], [6.25]]))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: derivative_taps(1, 1.0, 3, "exact"), "discretisation must be one of .*'exact'"),  # type: ignore[arg-type]
        (lambda: derivative_taps(-1, 1.0, 3, "hybrid"), "order must be >= 0, got -1"),
        (lambda: smoothing_weights(0.0, 3), "sigma must be positive and finite, got 0.0"),
        (lambda: smoothing_weights(1.0, -1), "radius must be >= 0, got -1"),
        (lambda: smoothing_weights(1.0, 3, "box"), "'sampled' or 'integrated', got 'box'"),
        (lambda: derivative_taps(3, 1.0, 1, "hybrid"), "order 3 need a kernel_size of at least 5"),
        (
            lambda: GaussianBasis(4, (1.0,), 3, discretisation="hybrid"),
            "order 4 need a kernel_size of at least 5, got 3",
        ),
        (lambda: GaussianBasis(2, discretisation="bessel"), "got 'bessel'"),  # type: ignore[arg-type]
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_the_documented_differences_are_these() -> None:
    page = (Path(__file__).parents[3] / "docs/gaussian_layers.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines()]
    rows = [row for row in rows if row[0] in DISCRETISATIONS and len(row) == 6]
    assert len(rows) == 12
    for name, sigma, *printed in rows:
        found = [relative_difference(n, float(sigma), name) for n in range(1, 5)]  # type: ignore[arg-type]
        assert [float(value) for value in printed] == pytest.approx(found, rel=0.01)
