r"""Circular harmonic filters on the pixel grid (Worrall et al. 2017), for the H-Net of Figure 11.

A filter of rotation order m is :math:`R(r) e^{i m \phi}` with a free radial profile R and
:math:`\phi` counted like the angles of `structnets.bases.steering`. The profile is given on rings;
a ring is drawn with a Gaussian pen, which keeps the filters band-limited, hence rotatable.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PEN = 0.5  # standard deviation of the pen, in pixels
_POINTS = 64


def ring_radii(order: int, kernel_size: int, rings: int) -> NDArray[np.float64]:
    """Return the radii of the rings in pixels, up to the border of the outer pixels.

    Orders other than 0 vanish in the centre, so their first ring has radius 1.
    """
    return np.linspace(0.0 if order == 0 else 1.0, kernel_size / 2, rings)


def harmonic_rings(order: int, kernel_size: int, rings: int = 4) -> NDArray[np.complex128]:
    """Return the filters of the single rings.

    Parameters
    ----------
    order : int
        Rotation order m >= 0.
    kernel_size : int
        Odd width.
    rings : int
        Number of rings.

    Returns
    -------
    ndarray, shape (rings, K, K), complex
        Each of unit L2 norm.

    Raises
    ------
    ValueError
        If an argument is out of range.
    """
    if order < 0:
        raise ValueError(f"order must be >= 0, got {order}")
    if kernel_size < 3 or kernel_size % 2 == 0:
        raise ValueError(f"kernel_size must be odd and >= 3, got {kernel_size}")
    if rings < 1:
        raise ValueError(f"rings must be >= 1, got {rings}")
    line = np.arange(kernel_size) - kernel_size // 2
    y, x = np.meshgrid(line, line, indexing="ij")
    phi = 2 * np.pi * np.arange(_POINTS) / _POINTS
    radii = ring_radii(order, kernel_size, rings)[:, None, None, None]
    distance = (x[..., None] - radii * np.cos(phi)) ** 2 + (y[..., None] - radii * np.sin(phi)) ** 2
    drawn = (np.exp(-distance / (2 * PEN**2)) * np.exp(1j * order * phi)).sum(-1)
    norms = np.sqrt((np.abs(drawn) ** 2).sum((1, 2), keepdims=True))
    return drawn / norms
