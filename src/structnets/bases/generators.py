r"""Steering functions from the infinitesimal generator of a transformation (thesis Eq. 25-27).

For a one-parameter group acting as :math:`(g(\tau) f)(x) = f(g(-\tau) x)` with generator L, a
frame whose span L maps into itself, :math:`L \phi = B \phi`, is steered by
:math:`g(\tau) \phi = e^{\tau B} \phi`: the steering functions are the entries of that exponential.
Atoms here are polynomials, alone (the naive frame) or under an isotropic Gaussian.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Exponents = tuple[int, int]


@dataclass(frozen=True)
class PolynomialAtoms:
    """Functions ``polynomial(x, y) * envelope``.

    Parameters
    ----------
    polynomials : sequence of dict
        Coefficient of every monomial x^p y^q, keyed by (p, q).
    labels : sequence of str
        Names for messages.
    sigma : float, optional
        The envelope is exp(-(x^2 + y^2) / 2 sigma^2); none by default.
    """

    polynomials: tuple[dict[Exponents, float], ...]
    labels: tuple[str, ...]
    sigma: float | None = None

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.polynomials)

    def evaluate(self, x: Float, y: Float) -> Float:
        """Evaluate all atoms at points; shape (M, ...)."""
        envelope = 1.0 if self.sigma is None else np.exp(-(x**2 + y**2) / (2 * self.sigma**2))
        values = [
            sum(c * x**p * y**q for (p, q), c in polynomial.items()) * envelope
            for polynomial in self.polynomials
        ]
        return np.stack(np.broadcast_arrays(*values))

    def derivative(self, axis: int) -> tuple[dict[Exponents, float], ...]:
        """Return the polynomials of the atoms' derivatives along x (axis 0) or y (axis 1)."""
        return tuple(self._derived(polynomial, axis) for polynomial in self.polynomials)

    def _derived(self, polynomial: dict[Exponents, float], axis: int) -> dict[Exponents, float]:
        step = (1, 0) if axis == 0 else (0, 1)
        terms: dict[Exponents, float] = {}
        for e, c in polynomial.items():
            if e[axis]:
                lower = (e[0] - step[0], e[1] - step[1])
                terms[lower] = terms.get(lower, 0.0) + e[axis] * c
            if self.sigma is not None:
                higher = (e[0] + step[0], e[1] + step[1])
                terms[higher] = terms.get(higher, 0.0) - c / self.sigma**2
        return terms


def monomials(exponents: Sequence[Exponents]) -> PolynomialAtoms:
    """Return the atoms x^p y^q: the naive frame before sampling."""
    labels = tuple(f"x^{p} y^{q}" for p, q in exponents)
    return PolynomialAtoms(tuple({e: 1.0} for e in exponents), labels)


def gaussian_derivatives(exponents: Sequence[Exponents], sigma: float = 1.0) -> PolynomialAtoms:
    """Return derivatives of a Gaussian as polynomials under it, scale-normalised."""
    found: dict[Exponents, dict[Exponents, float]] = {(0, 0): {(0, 0): 1.0}}
    for total in range(1, max(map(sum, exponents), default=0) + 1):
        for b in range(total + 1):
            axis, before = (1, (total - b, b - 1)) if b else (0, (total - 1, 0))
            atom = PolynomialAtoms((found[before],), ("",), sigma)
            derived = atom.derivative(axis)[0]
            found[total - b, b] = {e: sigma * c for e, c in derived.items() if c}
    labels = tuple(f"G_{a}{b}" for a, b in exponents)
    return PolynomialAtoms(tuple(found[e] for e in exponents), labels, sigma)


# What multiplies the derivatives along x and y, as (monomial, sign): L = sum of their products.
_Term = tuple[Exponents, float, int]
GENERATORS: dict[str, tuple[_Term, ...]] = {
    "rotation": (((0, 1), 1.0, 0), ((1, 0), -1.0, 1)),
    "dilation": (((1, 0), -1.0, 0), ((0, 1), -1.0, 1)),
    "translation_x": (((0, 0), -1.0, 0),),
    "translation_y": (((0, 0), -1.0, 1),),
}
"""Generators y d/dx - x d/dy, -x d/dx - y d/dy, -d/dx and -d/dy as (monomial, factor, axis)."""


def generator_matrix(atoms: PolynomialAtoms, transformation: str) -> Float:
    """Return B with ``L atom_i = sum_m B[i, m] atom_m``.

    Parameters
    ----------
    atoms : PolynomialAtoms
        Linearly independent.
    transformation : str
        One of `GENERATORS`.

    Raises
    ------
    ValueError
        If the transformation is unknown, or takes an atom out of the span: the frame then has no
        steering functions for it.
    """
    if transformation not in GENERATORS:
        raise ValueError(
            f"unknown transformation {transformation!r}; allowed: {', '.join(GENERATORS)}"
        )
    images: list[dict[Exponents, float]] = [{} for _ in range(len(atoms))]
    for (p, q), factor, axis in GENERATORS[transformation]:
        for image, derived in zip(images, atoms.derivative(axis), strict=True):
            for (a, b), c in derived.items():
                image[a + p, b + q] = image.get((a + p, b + q), 0.0) + factor * c
    everything = [*atoms.polynomials, *images]
    powers = sorted({e for polynomial in everything for e in polynomial})
    table = np.array([[polynomial.get(e, 0.0) for e in powers] for polynomial in everything])
    span, moved = table[: len(atoms)], table[len(atoms) :]
    matrix = np.linalg.lstsq(span.T, moved.T)[0].T
    leaving = np.abs(matrix @ span - moved).max(1) > 1e-9 * max(1.0, float(np.abs(moved).max()))
    if leaving.any():
        names = ", ".join(np.array(atoms.labels)[leaving])
        raise ValueError(
            f"no steering functions for {transformation}: its generator takes {names} out of the "
            f"span of the frame"
        )
    return np.asarray(matrix, np.float64)


def steering_functions(generator: Float) -> Callable[[float], Float]:
    """Return F, the map from the parameter tau to the matrix that steers the atoms.

    Diagonalizable generators (rotation, dilation of monomials) give sums of exponentials, whose
    frequencies are the imaginary eigenvalues; nilpotent ones (translation of polynomials)
    give polynomials in tau.

    Parameters
    ----------
    generator : ndarray, shape (M, M)
        Of `generator_matrix`.

    Raises
    ------
    ValueError
        If the generator is neither.
    """
    size = len(generator)
    powers = [np.eye(size)]
    for _ in range(size):
        powers.append(powers[-1] @ generator)
    if np.abs(powers[-1]).max() < 1e-9:
        return lambda tau: sum(
            (tau**n / math.factorial(n) * p for n, p in enumerate(powers)), np.zeros((size, size))
        )
    values, vectors = np.linalg.eig(generator)
    if np.linalg.cond(vectors) > 1e8:
        raise ValueError("the generator is neither diagonalizable nor nilpotent")
    inverse = np.linalg.inv(vectors)
    return lambda tau: np.real((vectors * np.exp(tau * values)) @ inverse)
