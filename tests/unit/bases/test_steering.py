"""Steering: turned atoms equal resampled ones, dilation, and steering functions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from structnets.bases.dilation import ScaleNodes, dilate
from structnets.bases.discretisation import sampled_derivative
from structnets.bases.gaussian import GaussianBasis, atom_exponents
from structnets.bases.generators import (
    PolynomialAtoms,
    gaussian_derivatives,
    generator_matrix,
    monomials,
    steering_functions,
)
from structnets.bases.steering import (
    CircularBasis,
    circular_atoms,
    evaluate_derivative,
    rotation_coefficients,
    rotation_matrix,
)

ANGLES = [0.0, 0.3, math.pi / 2, 2.5, -1.1]


@pytest.fixture
def points() -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(0).uniform(-4, 4, (2, 200))
    return x, y


def turned(points, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the points at which an atom is read for it to appear turned by the angle."""
    x, y = points
    c, s = math.cos(angle), math.sin(angle)
    return c * x + s * y, -s * x + c * y


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("order", range(8))
def test_steered_atoms_are_the_continuous_filters_turned(order: int, angle: float, points) -> None:
    exponents = [(order - n, n) for n in range(order + 1)]
    matrix = rotation_matrix(exponents, angle)
    atoms = np.stack([evaluate_derivative(e, 1.3, *points) for e in exponents])
    resampled = np.stack([evaluate_derivative(e, 1.3, *turned(points, angle)) for e in exponents])
    assert np.abs(matrix @ atoms - resampled).max() <= 1e-10


def test_sampled_atoms_steer_exactly_by_a_quarter_turn() -> None:
    basis = GaussianBasis(4, (1.2,), 9)
    exponents = [(e[0], e[1]) for e in (atom.exponents for atom in basis.atoms)]
    steered = np.einsum("nm,mkl->nkl", rotation_matrix(exponents, math.pi / 2), basis.kernels)
    quarter = np.rot90(basis.kernels, -1, (1, 2))  # x towards y, which points down
    np.testing.assert_allclose(steered, quarter, atol=1e-14)


def test_rotations_form_a_group() -> None:
    exponents = atom_exponents(4)
    one, two, both = (rotation_matrix(exponents, angle) for angle in (0.4, 1.1, 1.5))
    np.testing.assert_allclose(one @ two, both, atol=1e-12)


def test_second_order_by_hand() -> None:
    """Eq. 22 with the sign of theta that turns x towards y."""
    found = rotation_coefficients((2, 0), 0.3)
    c, s = math.cos(0.3), math.sin(0.3)
    assert found == pytest.approx({(2, 0): c * c, (1, 1): 2 * c * s, (0, 2): s * s})


@pytest.mark.parametrize("angle", ANGLES)
def test_circular_atoms_turn_by_their_phase(angle: float, points) -> None:
    for re, im in zip(circular_atoms(5)[3::2], circular_atoms(5)[4::2], strict=True):
        assert (re.frequency, re.part, im.part) == (im.frequency, "re", "im")
        here, there = (
            [
                sum(v * evaluate_derivative(e, 0.9, *p) for e, v in atom.mixture().items())
                for atom in (re, im)
            ]
            for p in (points, turned(points, angle))
        )
        phase = np.exp(-1j * re.frequency * angle)
        expected = phase * (here[0] + 1j * here[1])
        np.testing.assert_allclose(there[0] + 1j * there[1], expected, atol=1e-12)


def test_circular_atoms_to_order_two_by_hand() -> None:
    basis = CircularBasis(2, 1.0, 7)
    g = dict(zip(atom_exponents(2), GaussianBasis(2, (1.0,), 7).kernels, strict=True))
    xx, yy = g[2, 0], g[0, 2]
    expected = [g[0, 0], xx + yy, g[1, 0], g[0, 1], xx - yy, 2 * g[1, 1]]
    np.testing.assert_allclose(basis.kernels, expected, atol=1e-15)
    assert basis.frequencies == (0, 0, 1, 1, 2, 2)
    assert CircularBasis(1, 1.0, 7, orders=(1,)).frequencies == (1, 1)
    norms = np.linalg.norm(expected, axis=(1, 2))
    assert basis.norms[4] == basis.norms[5]
    np.testing.assert_allclose(basis.norms, norms, rtol=0.02)


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_circular_atoms_span_all_derivatives(order: int) -> None:
    assert len(circular_atoms(order)) == len(atom_exponents(order))
    kernels = CircularBasis(order, 1.5).kernels.reshape(len(circular_atoms(order)), -1)
    assert np.linalg.matrix_rank(kernels) == len(kernels)


@pytest.mark.parametrize("order", range(5))
def test_dilation_by_a_further_gaussian(order: int) -> None:
    """Eq. 21, on a grid fine enough that sampling does not matter."""
    x = 0.1 * np.arange(-200, 201)
    narrow, wide = (sampled_derivative(order, sigma, x) for sigma in (1.0, 1.5))
    assert np.abs(dilate(narrow, order, 1.0, 1.5, step=0.1) - wide).max() <= 1e-10
    assert np.array_equal(dilate(narrow, order, 1.0, 1.0), narrow)


@pytest.mark.parametrize(
    ("sigma", "order", "error"),
    [(1.0, 0, 1.1e-4), (1.0, 2, 2.2e-3), (1.0, 4, 0.018), (1.2, 2, 4e-5), (1.2, 4, 5e-4)],
)
def test_dilation_on_the_pixel_grid_has_the_stated_error(
    sigma: float, order: int, error: float
) -> None:
    x, to = np.arange(-20.0, 21), math.sqrt(2) * sigma
    wide = sampled_derivative(order, to, x)
    found = dilate(sampled_derivative(order, sigma, x), order, sigma, to)
    assert np.abs(found - wide).max() / np.abs(wide).max() == pytest.approx(error, rel=0.15)


@pytest.mark.parametrize("order", [0, 2])
def test_interpolation_error_is_that_of_the_filters(order: int) -> None:
    nodes, sigma = ScaleNodes((0.8, 1.1, 1.5)), 0.93
    x = 0.05 * np.arange(-240, 241)
    grid = np.meshgrid(x, x)
    atoms = [evaluate_derivative((order, 0), s, *grid) for s in (sigma, *nodes.sigmas)]
    left = atoms[0] - np.tensordot(nodes.weights(sigma), np.stack(atoms[1:]), 1)
    measured = np.linalg.norm(left) / np.linalg.norm(atoms[0])
    assert nodes.error(order, sigma) == pytest.approx(measured, rel=1e-6)


@pytest.mark.parametrize(
    ("count", "errors"),
    [(2, (0.133, 0.206, 0.274)), (3, (0.018, 0.035, 0.054)), (4, (0.0034, 0.0077, 0.0133))],
)
def test_worst_error_between_scales_of_the_thesis(count: int, errors: tuple) -> None:
    nodes = ScaleNodes.between(0.8, 1.5, count)
    assert [nodes.worst_error(n) for n in range(3)] == pytest.approx(errors, rel=0.05)
    assert nodes.error(2, nodes.sigmas[-1]) == 0


# Atoms, transformation, parameter, where an atom is read for it to appear transformed.
STEERABLE = {
    "Gaussians turned": (gaussian_derivatives(atom_exponents(4), 1.4), "rotation", 0.7),
    "monomials turned": (monomials(atom_exponents(3)), "rotation", -0.4),
    "tensor monomials dilated": (
        monomials([(p, q) for p in range(3) for q in range(3)]),
        "dilation",
        0.3,
    ),
    "monomials moved": (monomials(atom_exponents(3)), "translation_x", 0.6),
}
READ = {
    "rotation": turned,
    "dilation": lambda points, tau: tuple(np.exp(-tau) * np.array(points)),
    "translation_x": lambda points, tau: (points[0] - tau, points[1]),
}


@pytest.mark.parametrize("case", STEERABLE)
def test_steering_functions_transform_the_atoms(case: str, points) -> None:
    atoms, transformation, tau = STEERABLE[case]
    steer = steering_functions(generator_matrix(atoms, transformation))
    expected = atoms.evaluate(*READ[transformation](points, tau))
    np.testing.assert_allclose(steer(tau) @ atoms.evaluate(*points), expected, atol=1e-9)


def test_generator_and_closed_form_agree() -> None:
    exponents = atom_exponents(4)
    steer = steering_functions(generator_matrix(gaussian_derivatives(exponents), "rotation"))
    np.testing.assert_allclose(steer(0.9), rotation_matrix(exponents, 0.9), atol=1e-10)


def test_rotation_has_the_frequencies_of_the_circular_atoms() -> None:
    matrix = generator_matrix(gaussian_derivatives(atom_exponents(2)), "rotation")
    frequencies = np.sort(np.linalg.eigvals(matrix).imag)
    np.testing.assert_allclose(frequencies, [-2, -1, 0, 0, 1, 2], atol=1e-9)


TENSOR = [(p, q) for p in range(3) for q in range(3)]


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: rotation_matrix([(2, 0), (0, 2)], 0.1), r"\(2, 0\) cannot .* lacks \(1, 1\)"),
        (lambda: generator_matrix(monomials(TENSOR), "rotation"), "rotation: .*x\\^1 y\\^2, x\\^2"),
        (lambda: generator_matrix(gaussian_derivatives(TENSOR), "dilation"), "dilation: .*G_22"),
        (lambda: generator_matrix(monomials(TENSOR), "shear"), "unknown transformation 'shear'"),
        (lambda: steering_functions(np.array([[1.0, 1], [0, 1]])), "neither diagonalizable nor"),
        (lambda: dilate(np.ones(3), 0, 2.0, 1.0), "only enlarges.*sigma = 2.0, to = 1.0"),
        (lambda: ScaleNodes((1.0, 0.5)), r"positive and ascending, got \(1.0, 0.5\)"),
        (lambda: ScaleNodes.between(2.0, 1.0, 3), "0 < smallest <= largest, got 3, 2.0, 1.0"),
        (lambda: circular_atoms(-1), "order must be >= 0, got -1"),
        (lambda: CircularBasis(2, orders=(3,)).atoms, r"some of 0..2, got \(3,\)"),
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()


def test_atoms_without_envelope_by_hand() -> None:
    atoms = PolynomialAtoms(({(1, 0): 2.0, (0, 2): -1.0},), ("2x - yy",))
    np.testing.assert_array_equal(atoms.evaluate(np.array([3.0]), np.array([2.0])), [[2.0]])
    assert atoms.derivative(1) == ({(0, 1): -2.0},)
