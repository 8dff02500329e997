"""Mean and standard deviation of images per channel, exact whatever machine counts."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

_LEVELS = 256
_CHUNK = 4096


def grey_histogram(images: np.ndarray) -> np.ndarray:
    """Count the values of each channel.

    Parameters
    ----------
    images : numpy.ndarray
        (N, C, H, W) uint8.

    Returns
    -------
    numpy.ndarray
        (C, 256) int64. Histograms of parts add up to that of the whole.
    """
    total = np.zeros((images.shape[1], _LEVELS), dtype=np.int64)
    for start in range(0, len(images), _CHUNK):
        for channel, counts in enumerate(total):
            part = images[start : start + _CHUNK, channel]
            counts += np.bincount(part.reshape(-1), minlength=_LEVELS)
    return total


def histogram_statistics(histogram: np.ndarray) -> dict[str, list[float]]:
    """Return mean and standard deviation of each channel, both for values scaled to [0, 1].

    The sums are integers, so that the result is the correctly rounded one everywhere.

    Parameters
    ----------
    histogram : numpy.ndarray
        (C, 256) int64, every channel with at least one value.

    Returns
    -------
    dict
        ``mean`` and ``std``, lists of C numbers (the deviation divides by N, not N - 1).
    """
    means, deviations = [], []
    for counts in histogram.tolist():
        number = sum(counts)
        mean = Fraction(sum(value * count for value, count in enumerate(counts)), number)
        square = Fraction(sum(value**2 * count for value, count in enumerate(counts)), number)
        means.append(float(mean / (_LEVELS - 1)))
        deviations.append(math.sqrt((square - mean**2) / (_LEVELS - 1) ** 2))
    return {"mean": means, "std": deviations}


def channel_statistics(images: np.ndarray) -> dict[str, list[float]]:
    """Return ``mean`` and ``std`` per channel of `images`, (N, C, H, W) uint8, as [0, 1]."""
    return histogram_statistics(grey_histogram(images))
