r"""Rotation of Gaussian derivatives in closed form, for every order (thesis Eq. 22, 25, 27).

A filter turned by the angle theta is :math:`f_\theta(x) = f(R_{-\theta} x)`; on images, whose y
axis points down, positive angles turn clockwise. Turning an isotropic Gaussian's derivative turns
the directions it is taken along,

.. math:: (c \partial_x + s \partial_y)^a (-s \partial_x + c \partial_y)^b G,
   \quad c = \cos\theta, s = \sin\theta,

which expands into the derivatives of the same total order. (Eq. 22 turns the other way.) In
*circular* atoms, the real and imaginary parts of :math:`D^a \bar D^b G` with
:math:`D = \partial_x + i \partial_y`, the expansion is diagonal: the atom is multiplied by
:math:`e^{-ik\theta}`, its frequency k being a - b. Steering circular atoms therefore costs four
products per pair, whatever the order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from structnets.bases.discretisation import hermite
from structnets.bases.gaussian import GaussianBasis

Float = NDArray[np.float64]
Exponents = tuple[int, int]


def evaluate_derivative(exponents: Exponents, sigma: float, x: Float, y: Float) -> Float:
    """Evaluate a scale-normalised derivative of the continuous Gaussian of integral 1.

    Parameters
    ----------
    exponents : pair of int
        Orders along x and y.
    sigma : float
        Scale, in the unit of the points.
    x, y : ndarray
        Coordinates of the points.

    Returns
    -------
    ndarray
        sigma^(a + b) times the derivative, at every point.
    """
    u, v = x / sigma, y / sigma
    envelope = np.exp(-0.5 * (u**2 + v**2)) / (2 * math.pi * sigma**2)
    a, b = exponents
    return (-1) ** (a + b) * hermite(a, u) * hermite(b, v) * envelope


def rotation_coefficients(exponents: Exponents, angle: float) -> dict[Exponents, float]:
    """Expand a turned derivative in the unturned ones.

    Parameters
    ----------
    exponents : pair of int
        Orders (a, b) along x and y, of any size.
    angle : float
        Theta in radians.

    Returns
    -------
    dict
        Coefficient of each derivative of total order a + b.
    """
    a, b = exponents
    c, s = math.cos(angle), math.sin(angle)
    along_u = [math.comb(a, i) * c ** (a - i) * s**i for i in range(a + 1)]
    along_v = [math.comb(b, j) * (-s) ** (b - j) * c**j for j in range(b + 1)]
    powers = np.convolve(along_u, along_v)  # of the derivative along y
    return {(a + b - n, n): float(value) for n, value in enumerate(powers)}


def rotation_matrix(exponents: Sequence[Exponents], angle: float) -> Float:
    """Return F with ``turned[i] = sum_m F[i, m] atoms[m]`` (Eq. 25).

    Parameters
    ----------
    exponents : sequence of pairs
        The derivatives of the frame, for instance of a `GaussianBasis` of one scale.
    angle : float
        Radians.

    Returns
    -------
    ndarray, shape (M, M)
        Its transpose steers coefficients instead of atoms.

    Raises
    ------
    ValueError
        If a derivative needs another one, of its total order, that the frame lacks.
    """
    place = {e: m for m, e in enumerate(exponents)}
    matrix = np.zeros((len(place), len(place)))
    for e, row in place.items():
        total = sum(e)
        missing = [(total - n, n) for n in range(total + 1) if (total - n, n) not in place]
        if missing:
            raise ValueError(
                f"derivative {e} cannot be rotated in this frame, which lacks {missing[0]}; "
                f"take all derivatives of total order {total} or none"
            )
        for other, value in rotation_coefficients(e, angle).items():
            matrix[row, place[other]] = value
    return matrix


@dataclass(frozen=True)
class CircularAtom:
    """One real circular atom.

    Attributes
    ----------
    order : int
        Total order a + b.
    frequency : int
        k = a - b >= 0: it returns to itself after a turn by 2 pi / k.
    part : {'re', 'im'}
        Which part; atoms of frequency 0 are real.
    """

    order: int
    frequency: int
    part: str

    def mixture(self) -> dict[Exponents, float]:
        """Return the atom as a mixture of derivatives along x and y."""
        plus = np.array([1, 1j])  # powers of the derivative along y in D
        b = (self.order - self.frequency) // 2
        powers = np.ones(1, dtype=complex)
        for factor in [plus] * (self.order - b) + [plus.conj()] * b:
            powers = np.convolve(powers, factor)
        values = np.real(powers) if self.part == "re" else np.imag(powers)
        return {(self.order - n, n): float(v) for n, v in enumerate(values) if abs(v) > 1e-12}


def circular_atoms(order: int) -> tuple[CircularAtom, ...]:
    """List the circular atoms up to a total order: those of frequency 0, then pairs (re, im).

    As many as there are derivatives, and spanning the same space. Up to order 2: G, Laplacian of
    G, then the gradient (k = 1) and G_xx - G_yy, 2 G_xy (k = 2).
    """
    if order < 0:
        raise ValueError(f"order must be >= 0, got {order}")
    still = [CircularAtom(n, 0, "re") for n in range(0, order + 1, 2)]
    pairs = [
        CircularAtom(n, k, part)
        for k in range(1, order + 1)
        for n in range(k, order + 1, 2)
        for part in ("re", "im")
    ]
    return tuple(still + pairs)


@dataclass(frozen=True)
class CircularBasis:
    """Circular atoms on the pixel grid.

    Parameters
    ----------
    order : int
        Highest total order.
    sigma : float
        Scale in pixels.
    kernel_size : int, optional
        Odd support, by default 2 ceil(3 sigma) + 1.
    orders : sequence of int, optional
        Keep atoms of these total orders only.
    """

    order: int
    sigma: float = 1.0
    kernel_size: int | None = None
    orders: tuple[int, ...] | None = None

    @cached_property
    def atoms(self) -> tuple[CircularAtom, ...]:
        """The atoms, in the order of `circular_atoms`."""
        kept = range(self.order + 1) if self.orders is None else self.orders
        found = tuple(atom for atom in circular_atoms(self.order) if atom.order in kept)
        if not found:
            raise ValueError(f"orders must name some of 0..{self.order}, got {self.orders}")
        return found

    @property
    def frequencies(self) -> tuple[int, ...]:
        """Frequencies of the atoms: zeros first, then each positive one twice (re, im)."""
        return tuple(atom.frequency for atom in self.atoms)

    @cached_property
    def kernels(self) -> Float:
        """The scale-normalised filters, shape (M, K, K)."""
        basis = GaussianBasis(self.order, (self.sigma,), self.kernel_size)
        of = {
            atom.exponents: kernel for atom, kernel in zip(basis.atoms, basis.kernels, strict=True)
        }
        return np.stack([sum(v * of[e] for e, v in atom.mixture().items()) for atom in self.atoms])

    @cached_property
    def norms(self) -> Float:
        """L2 norms of the filters, shape (M,), those of a pair averaged.

        Dividing by them keeps atoms steerable: the parts of a pair have equal norms but for the
        sampling.
        """
        energies = (self.kernels**2).sum((1, 2))
        still = self.frequencies.count(0)
        pairs = energies[still:].reshape(-1, 2).mean(1)
        return np.sqrt(np.concatenate([energies[:still], np.repeat(pairs, 2)]))
