"""Steering: turned atoms equal resampled ones, and interpolation between scales."""

from __future__ import annotations

import math

import numpy as np
import pytest

from structnets.bases.dilation import ScaleNodes
from structnets.bases.gaussian import GaussianBasis, atom_exponents
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


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: rotation_matrix([(2, 0), (0, 2)], 0.1), r"\(2, 0\) cannot .* lacks \(1, 1\)"),
        (lambda: ScaleNodes((1.0, 0.5)), r"positive and ascending, got \(1.0, 0.5\)"),
        (lambda: ScaleNodes.between(2.0, 1.0, 3), "0 < smallest <= largest, got 3, 2.0, 1.0"),
        (lambda: circular_atoms(-1), "order must be >= 0, got -1"),
        (lambda: CircularBasis(2, orders=(3,)).atoms, r"some of 0..2, got \(3,\)"),
    ],
)
def test_bad_arguments_are_named(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
