r"""From the continuous Gaussian derivative to taps on the pixel grid, in one dimension.

Four ways (T. Lindeberg, "Discrete approximations of Gaussian smoothing and Gaussian derivatives",
J. Math. Imaging Vis. 66, 2024; "Approximation properties relative to continuous scale space for
hybrid discretisations of Gaussian derivative operators", Frontiers in Signal Processing 4, 2024):

=====================  ====================================================================
``sampled``            the derivative's values at the pixel centres: the thesis' way
``integrated``         its integrals over the pixels
``hybrid``             the sampled Gaussian of sum 1, then central differences
``hybrid_integrated``  the integrated Gaussian of sum 1, then central differences
=====================  ====================================================================

At scales of two pixels and more they are nearly equal (`relative_difference`). At finer ones
sampled derivatives do not answer with derivatives any more: at :math:`\sigma = 0.5` the second
order answers to :math:`x^2` with 2.68 instead of 2 and to a constant with -.56 instead of 0.
Central differences of order n answer to polynomials of degree n as the derivative does, exactly
and at every scale, cut where one likes; and all orders share one smoothing, so that what is
learned is a convolution of 3 x 3 taps for orders up to 2, and of 5 x 5 up to 4, at any scale.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Discretisation = Literal["sampled", "integrated", "hybrid", "hybrid_integrated"]
DISCRETISATIONS: tuple[Discretisation, ...] = get_args(Discretisation)
Float = NDArray[np.float64]

SAMPLED_REACH = 3.0
"""Default support of sampled derivatives, in sigma, as in the authors' code."""
REACH = 4.0
"""Least default support of the others, in sigma: it loses 6e-5 of the Gaussian's mass."""
GREATEST_STEP = 1e-3
"""Largest step of a Gaussian at its edge, of its height, under sigma^n times n differences."""


def is_hybrid(discretisation: str) -> bool:
    """Say whether a discretisation smooths first and takes differences then."""
    return discretisation.startswith("hybrid")


def smoothing_kind(discretisation: str) -> str:
    """Return how the Gaussian itself is discretised: ``sampled`` or ``integrated``."""
    return "integrated" if discretisation.endswith("integrated") else "sampled"


def difference_reach(order: int) -> int:
    """Return how many pixels to either side the central difference of an order reads."""
    return (order + 1) // 2


def smoothing_reach(order: int, sigma: float) -> float:
    """Return the support of the smoothing under differences up to an order, in sigma.

    Differences of order n see the step where a Gaussian is cut sigma^n times as high: at sigma 16
    and order 4 four sigma would leave filters that are all edge.
    """
    return max(REACH, math.sqrt(2 * math.log(max(1.0, sigma) ** order / GREATEST_STEP)))


def default_radius(order: int, sigma: float, discretisation: Discretisation) -> int:
    """Return half the default support, in pixels, of derivatives up to an order."""
    if discretisation == "sampled":
        return math.ceil(SAMPLED_REACH * sigma)
    if discretisation == "integrated":
        return math.ceil(REACH * sigma)
    return math.ceil(smoothing_reach(order, sigma) * sigma) + difference_reach(order)


def smoothing_weights(sigma: float, radius: int, kind: str = "sampled") -> Float:
    """Return a Gaussian of sum 1 on the integers -radius ... radius.

    Parameters
    ----------
    sigma : float
        Scale in pixels, positive. The variance of the weights is sigma^2 where sampled (from
        about .8 pixels on), sigma^2 + 1/12 where integrated.
    radius : int
        Half the support; 0 smooths nothing.
    kind : {'sampled', 'integrated'}
        Values at the pixel centres, or integrals over the pixels.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    """
    if not (sigma > 0 and math.isfinite(sigma)):
        raise ValueError(f"sigma must be positive and finite, got {sigma}")
    if radius < 0:
        raise ValueError(f"radius must be >= 0, got {radius}")
    points = np.arange(-radius, radius + 1, dtype=np.float64)
    if kind == "sampled":
        weights = np.exp(-0.5 * (points / sigma) ** 2)
    elif kind == "integrated":
        weights = _mass_of_pixels(points, sigma)
    else:
        raise ValueError(f"kind must be 'sampled' or 'integrated', got {kind!r}")
    return weights / weights.sum()


def central_difference(order: int) -> Float:
    """Return the filter of a central difference, shape (2 reach + 1,), reach as it needs.

    Even orders are powers of the second difference (1, -2, 1), odd ones have one first difference
    (1/2, 0, -1/2) more. Signs are the derivative's, as in `structnets.bases.gaussian`.
    """
    if order < 0:
        raise ValueError(f"order must be >= 0, got {order}")
    taps = np.ones(1)
    for _ in range(order // 2):
        taps = np.convolve(taps, (1.0, -2.0, 1.0))
    return np.convolve(taps, (0.5, 0.0, -0.5)) if order % 2 else taps


def derivative_taps(
    order: int,
    sigma: float,
    radius: int,
    discretisation: Discretisation,
    highest: int | None = None,
) -> Float:
    """Return a scale-normalised Gaussian derivative on the grid.

    Parameters
    ----------
    order : int
        Of the derivative, >= 0.
    sigma : float
        Scale in pixels.
    radius : int
        The support is the integers -radius ... radius.
    discretisation : str
        One of `DISCRETISATIONS`.
    highest : int, optional
        Highest order of the basis it belongs to, by default `order`: all orders of a hybrid basis
        share one smoothing, which leaves room for the differences of the highest and goes no
        further than `smoothing_reach`.

    Returns
    -------
    ndarray, shape (2 * radius + 1,)
        sigma^order times the derivative; the Gaussian it derives from has sum 1 on its support.

    Raises
    ------
    ValueError
        If an argument is out of its range, or the support too small for the differences.
    """
    check_discretisation(discretisation)
    if order < 0:
        raise ValueError(f"order must be >= 0, got {order}")
    if is_hybrid(discretisation):
        most = hybrid_smoothing_radius(sigma, radius, order if highest is None else highest)
        smoothing = smoothing_weights(sigma, most, smoothing_kind(discretisation))
        taps = np.convolve(smoothing, central_difference(order)) * sigma**order
        return np.pad(taps, radius - len(taps) // 2)
    points = np.arange(-radius, radius + 1, dtype=np.float64)
    if discretisation == "sampled":
        return sampled_derivative(order, sigma, points)
    if order == 0:
        return smoothing_weights(sigma, radius, "integrated")
    below = [
        _continuous_derivative(order - 1, points + shift, sigma) * sigma ** (order - 1)
        for shift in (0.5, -0.5)
    ]
    return sigma * (below[0] - below[1]) / _mass_of_pixels(points, sigma).sum()


def hybrid_smoothing_radius(sigma: float, radius: int, highest: int) -> int:
    """Return half the support of the smoothing inside filters of half support `radius`.

    Raises
    ------
    ValueError
        If the differences alone need more.
    """
    room = radius - difference_reach(highest)
    if room < 0:
        raise ValueError(
            f"hybrid derivatives up to order {highest} need a kernel_size of at least "
            f"{2 * difference_reach(highest) + 1}, got {2 * radius + 1}"
        )
    return min(room, math.ceil(smoothing_reach(highest, sigma) * sigma))


def relative_difference(order: int, sigma: float, discretisation: Discretisation) -> float:
    """Return how far a derivative's taps are from the sampled ones: relative L2, wide support.

    It falls as 1 / sigma^2 for all discretisations, from about one pixel on.
    """
    radius = math.ceil(8 * sigma) + difference_reach(order)
    sampled = sampled_derivative(order, sigma, np.arange(-radius, radius + 1, dtype=np.float64))
    other = derivative_taps(order, sigma, radius, discretisation)
    return float(np.linalg.norm(other - sampled) / np.linalg.norm(sampled))


def _mass_of_pixels(points: Float, sigma: float) -> Float:
    """Integrate the continuous Gaussian over pixels, from the tails, where least cancels."""
    near = np.abs(points) - 0.5
    scale = sigma * math.sqrt(2)
    tails = [math.erfc(x / scale) - math.erfc((x + 1) / scale) for x in near.tolist()]
    return 0.5 * np.asarray(tails, np.float64)


def _continuous_derivative(order: int, points: Float, sigma: float) -> Float:
    """Evaluate a derivative of the continuous Gaussian of integral 1."""
    u = points / sigma
    g = np.exp(-0.5 * u**2) / (sigma * math.sqrt(2 * math.pi))
    return (-1) ** order * hermite(order, u) * g / sigma**order


def check_discretisation(name: str) -> None:
    """Refuse an unknown discretisation."""
    if name not in DISCRETISATIONS:
        raise ValueError(
            f"discretisation must be one of {', '.join(DISCRETISATIONS)}; got {name!r}"
        )


def hermite(order: int, u: Float) -> Float:
    """Evaluate the probabilists' Hermite polynomial by its recursion.

    Parameters
    ----------
    order : int
        Degree n >= 0; :math:`He_{n+1} = u He_n - n He_{n-1}`.
    u : ndarray
        Points.

    Returns
    -------
    ndarray
        Values, of the shape of `u`.
    """
    before, now = np.zeros_like(u), np.ones_like(u)
    for n in range(order):
        before, now = now, u * now - n * before
    return now


def sampled_derivative(order: int, sigma: float, points: Float) -> Float:
    """Sample a scale-normalised Gaussian derivative at any points (pixels), shape (P,).

    The Gaussian it derives from sums to 1 over the points.
    """
    u = points / sigma
    g = np.exp(-0.5 * u**2)
    g /= g.sum()
    return (-1) ** order * hermite(order, u) * g
