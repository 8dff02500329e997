"""Non-maximum suppression of raw probability maps, as the literature on edges does before scoring.

The procedure is that of Dollár & Zitnick, "Fast edge detection using structured forests" (PAMI
2015), which later work took over: the orientation of an edge is estimated from second derivatives
of the smoothed map, and a pixel that is exceeded across its edge is set to zero. ``edges`` is
their setting; ``hed`` smooths the map itself first, as Xie & Tu's evaluation of HED (ICCV 2015)
does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numba
import numpy as np


@dataclass(frozen=True)
class Suppression:
    """Numbers of one way of suppression, all in pixels but the last.

    Attributes
    ----------
    presmoothing : int
        Radius of the triangle filter of the map itself; 0 for none.
    smoothing : int
        Radius of the triangle filter of the map that orientations are estimated from.
    radius : int
        How far across an edge a higher value suppresses.
    border : int
        Width of the image's border in which values are scaled down linearly to zero.
    multiplier : float
        By how much a value must be exceeded.
    """

    presmoothing: int
    smoothing: int = 4
    radius: int = 1
    border: int = 5
    multiplier: float = 1.01


SUPPRESSIONS: Mapping[str, Suppression | None] = {
    "none": None,
    "edges": Suppression(presmoothing=0),
    "hed": Suppression(presmoothing=1),
}


def describe_suppression(name: str) -> dict[str, Any] | None:
    """Return the numbers behind a name, for the record; None for no suppression.

    Raises
    ------
    ValueError
        If the name is unknown.
    """
    if name not in SUPPRESSIONS:
        raise ValueError(f"unknown suppression {name!r}; allowed: {', '.join(SUPPRESSIONS)}")
    numbers = SUPPRESSIONS[name]
    return None if numbers is None else asdict(numbers)


def suppress(probability: np.ndarray, numbers: Suppression) -> np.ndarray:
    """Set to zero what is exceeded across its edge.

    Parameters
    ----------
    probability : numpy.ndarray
        (H, W) float in 0..1; the computation is in float64.
    numbers : Suppression
        How.

    Returns
    -------
    numpy.ndarray
        (H, W) float64 in 0..1.
    """
    strength = triangle_filter(np.asarray(probability, dtype=np.float64), numbers.presmoothing)
    angle = _orientation(triangle_filter(strength, numbers.smoothing))
    kept = _suppressed(strength, np.cos(angle), np.sin(angle), numbers.radius, numbers.multiplier)
    return kept * _border_ramp(kept.shape, numbers.border)


def triangle_filter(image: np.ndarray, radius: int) -> np.ndarray:
    """Convolve both axes with (1, 2, …, radius + 1, …, 2, 1), normalised; edges are mirrored."""
    from scipy.ndimage import convolve1d

    if radius == 0:
        return image
    rise = np.arange(1, radius + 1)
    weights = np.concatenate([rise, [radius + 1], rise[::-1]]) / (radius + 1) ** 2
    for axis in (0, 1):
        image = convolve1d(image, weights, axis=axis, mode="reflect")
    return image


def _orientation(smooth: np.ndarray) -> np.ndarray:
    """Angle across the edge, in radians, from central differences of first differences.

    As in the original it is 0 where the mixed derivative vanishes, also on an exactly horizontal
    edge, which is then not suppressed; in maps that a detector made this does not occur.
    """
    along_rows, along_columns = np.gradient(smooth)
    second_y = np.gradient(along_rows, axis=0)
    mixed, second_x = np.gradient(along_columns)
    return np.arctan(second_y * np.sign(-mixed) / (second_x + 1e-5)) % np.pi


def _border_ramp(shape: tuple[int, ...], border: int) -> np.ndarray:
    ramps = []
    for side in shape:
        width = min(border, side // 2)
        distance = np.minimum(np.arange(side), np.arange(side)[::-1])
        ramps.append(np.minimum(distance / max(width, 1), 1.0))
    return np.outer(*ramps)


@numba.njit(cache=True)
def _suppressed(strength, cosine, sine, radius, multiplier):
    height, width = strength.shape
    kept = strength.copy()
    for y in range(height):
        for x in range(width):
            value = strength[y, x] * multiplier
            if value == 0:
                continue
            for d in range(-radius, radius + 1):
                if d == 0:
                    continue
                across = _interpolated(strength, y + d * sine[y, x], x + d * cosine[y, x])
                if value < across:
                    kept[y, x] = 0.0
                    break
    return kept


@numba.njit(cache=True)
def _interpolated(image, y, x):
    """Bilinear value at (y, x), moved into the image."""
    height, width = image.shape
    y = min(max(y, 0.0), height - 1.001)
    x = min(max(x, 0.0), width - 1.001)
    top, left = int(y), int(x)
    down, right = y - top, x - left
    above = image[top, left] * (1 - right) + image[top, left + 1] * right
    below = image[top + 1, left] * (1 - right) + image[top + 1, left + 1] * right
    return above * (1 - down) + below * down
