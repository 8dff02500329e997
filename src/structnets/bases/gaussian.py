r"""Gaussian derivative bases in one, two and three dimensions (thesis section 3.3, Eq. 20, 21).

Everything is NumPy float64 on the integer grid. With :math:`u = x / \sigma` and :math:`g` the
sampled Gaussian of sum 1 on its support, the scale-normalised derivative of order n is
:math:`\sigma^n \partial^n g = (-1)^n He_n(u) g`, with He the probabilists' Hermite polynomials.
Filters keep the sign of the true derivative: the first order falls towards +x. Other ways from
the continuous derivative to the grid are in `structnets.bases.discretisation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product
from numbers import Integral
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from structnets.bases.discretisation import (
    Discretisation,
    check_discretisation,
    default_radius,
    derivative_taps,
    difference_reach,
    hybrid_smoothing_radius,
    is_hybrid,
    sampled_derivative,
    smoothing_kind,
    smoothing_weights,
)
from structnets.bases.scales import as_scales

# A net has filters of a few pixels; a larger number is a mistake that would fill the memory.
HIGHEST_ORDER = 20

Norm = Literal["scale", "none"]
Float = NDArray[np.float64]


def gaussian_derivative(order: int, sigma: float, radius: int, norm: Norm = "scale") -> Float:
    """Sample one Gaussian derivative (Eq. 20).

    Parameters
    ----------
    order : int
        Order n of the derivative, any n >= 0.
    sigma : float
        Scale in pixels, positive.
    radius : int
        The support is the integers -radius ... radius.
    norm : {'scale', 'none'}
        ``scale`` multiplies by sigma^n (scale-normalised, gamma = 1); ``none`` leaves the plain
        derivative.

    Returns
    -------
    ndarray, shape (2 * radius + 1,)
        The filter. The Gaussian it derives from sums to 1 on this support.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    if order < 0:
        raise ValueError(f"order must be >= 0, got {order}")
    if not sigma > 0:
        raise ValueError(f"sigma must be > 0, got {sigma}")
    if norm not in ("scale", "none"):
        raise ValueError(f"norm must be 'scale' or 'none', got {norm!r}")
    filtered = sampled_derivative(order, sigma, np.arange(-radius, radius + 1, dtype=np.float64))
    return filtered if norm == "scale" else filtered / sigma**order


def atom_exponents(order: int, dims: int = 2) -> tuple[tuple[int, ...], ...]:
    """List the derivatives up to total `order`, as exponents of (x, y, z).

    The list goes by total order; within one, pure derivatives first, then the more mixed ones:
    0; x, y; xx, yy, xy; xxx, yyy, xxy, xyy; xxxx, yyyy, xxxy, xyyy, xxyy.
    """
    exponents = [e for e in product(range(order + 1), repeat=dims) if sum(e) <= order]
    return tuple(
        sorted(
            exponents,
            key=lambda e: (sum(e), [-n for n in sorted(e, reverse=True)], [-n for n in e]),
        )
    )


@dataclass(frozen=True)
class Atom:
    """One basis filter: derivative exponents of (x, y, z) at scale `sigma` (pixels)."""

    exponents: tuple[int, ...]
    sigma: float


@dataclass(frozen=True)
class GaussianBasis:
    """The Gaussian derivatives up to an order at one or several scales.

    Parameters
    ----------
    order : int
        Highest total order of a derivative, 20 at most.
    sigmas : sequence of float
        Scales in pixels, ascending. The zero order is kept at the smallest only, so that
        n = N + (S - 1)(N - 1) with N the derivatives of one scale.
    kernel_size : int, optional
        Odd width of the support; by default 2 ceil(3 max(sigmas)) + 1. A smaller one cuts. For
        other discretisations than ``sampled`` three sigma become four or (large scales under high
        hybrid orders) more, and hybrid ones have room for the differences besides.
    dims : {1, 2, 3}
        Number of spatial dimensions.
    norm : {'scale', 'none'}
        See `gaussian_derivative`.
    discretisation : {'sampled', 'integrated', 'hybrid', 'hybrid_integrated'}
        How derivatives become taps, see `structnets.bases.discretisation`; ``sampled`` is the
        thesis' way.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the support too small for hybrid differences.
    """

    order: int
    sigmas: tuple[float, ...] = (1.0,)
    kernel_size: int | None = None
    dims: int = 2
    norm: Norm = "scale"
    discretisation: Discretisation = "sampled"

    def __post_init__(self) -> None:
        """Check the parameters and fill in the default support."""
        sigmas = as_scales(self.sigmas)
        if not isinstance(self.order, Integral) or self.order < 0:
            raise ValueError(f"order must be an integer >= 0, got {self.order!r}")
        if self.order > HIGHEST_ORDER:
            raise ValueError(f"order must be at most {HIGHEST_ORDER}, got {self.order}")
        if self.dims not in (1, 2, 3):
            raise ValueError(f"dims must be 1, 2 or 3, got {self.dims}")
        check_discretisation(self.discretisation)
        default = 2 * default_radius(self.order, sigmas[-1], self.discretisation) + 1
        size = default if self.kernel_size is None else self.kernel_size
        if size < 1 or size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and positive, got {size}")
        least = 2 * difference_reach(self.order) + 1
        if is_hybrid(self.discretisation) and size < least:
            raise ValueError(
                f"hybrid derivatives up to order {self.order} need a kernel_size of at least "
                f"{least}, got {size}"
            )
        object.__setattr__(self, "sigmas", sigmas)
        object.__setattr__(self, "kernel_size", size)

    @property
    def radius(self) -> int:
        """Half the support, in pixels."""
        assert self.kernel_size is not None
        return self.kernel_size // 2

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        """The filters in order: all at the smallest scale, then orders >= 1 at each further."""
        exponents = atom_exponents(self.order, self.dims)
        first = [Atom(e, self.sigmas[0]) for e in exponents]
        further = [Atom(e, s) for s in self.sigmas[1:] for e in exponents if sum(e) > 0]
        return tuple(first + further)

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.atoms)

    @cached_property
    def profiles(self) -> Float:
        """The distinct 1-D filters, shape (P, kernel_size), that `factors` indexes."""
        return np.stack(
            [self._profile(n, sigma) for sigma in self.sigmas for n in range(self.order + 1)]
        )

    def _profile(self, order: int, sigma: float) -> Float:
        if self.discretisation == "sampled":
            return gaussian_derivative(order, sigma, self.radius, self.norm)
        taps = derivative_taps(order, sigma, self.radius, self.discretisation, self.order)
        return taps if self.norm == "scale" else taps / sigma**order

    @cached_property
    def smoothing(self) -> Float:
        """The Gaussians that hybrid derivatives are differences of, shape (S, K - 2 reach)."""
        assert is_hybrid(self.discretisation)
        reach = difference_reach(self.order)
        inner = self.radius - reach
        radii = [hybrid_smoothing_radius(s, self.radius, self.order) for s in self.sigmas]
        kind = smoothing_kind(self.discretisation)
        return np.stack(
            [
                np.pad(smoothing_weights(sigma, radius, kind), inner - radius)
                for sigma, radius in zip(self.sigmas, radii, strict=True)
            ]
        )

    @cached_property
    def factors(self) -> NDArray[np.int64]:
        """Profile of each atom along each array axis, shape (n, dims): (z,) y, x."""
        per_scale = self.order + 1
        rows = [
            [self.sigmas.index(a.sigma) * per_scale + n for n in reversed(a.exponents)]
            for a in self.atoms
        ]
        return np.array(rows, dtype=np.int64)

    @cached_property
    def kernels(self) -> Float:
        """The filters on the pixel grid, shape (n, K), (n, K, K) or (n, K, K, K)."""
        letters = "zyx"[-self.dims :]
        equation = ",".join(f"n{c}" for c in letters) + f"->n{letters}"
        return np.einsum(equation, *(self.profiles[self.factors[:, d]] for d in range(self.dims)))


def dyadic_sigmas(scales: int, first: float = 1.0) -> tuple[float, ...]:
    """Return the scales first, 2 first, 4 first, ... of a multi-scale basis."""
    if scales < 1:
        raise ValueError(f"scales must be >= 1, got {scales}")
    return tuple(first * 2**i for i in range(scales))


def scales_of_layer(layer: int, layers: int, first: float = 1.0) -> tuple[float, ...]:
    """Return the scales layer `layer` (from 1) of `layers` keeps: the largest is dropped each time.

    With four layers: 1, 2, 4, 8 then 1, 2, 4 then 1, 2 then 1 (thesis section 3.4.1).
    """
    return dyadic_sigmas(layers - layer + 1, first)
