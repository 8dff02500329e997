"""Intervals of means by Student's t and of rates by Wilson, and slopes."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

CONFIDENCE = 0.95


def student_interval(
    values: Sequence[float], confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """Return the two-sided interval of a mean, by Student's t with n - 1 degrees of freedom.

    Returns
    -------
    tuple of float or None
        Lower and upper end; None for fewer than two values.

    Examples
    --------
    >>> low, high = student_interval([1.0, 2.0, 3.0])
    >>> print(f"{low:.3f} {high:.3f}")
    -0.484 4.484
    """
    if len(values) < 2:
        return None
    from scipy.stats import t

    mean, count = statistics.fmean(values), len(values)
    half = float(t.ppf((1 + confidence) / 2, count - 1)) * statistics.stdev(values)
    half /= math.sqrt(count)
    return mean - half, mean + half


def wilson(right: float, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a rate in percent, from `right` of `total` (Wilson 1927).

    Examples
    --------
    >>> tuple(round(end, 1) for end in wilson(8, 10))
    (49.0, 94.3)
    """
    z = 1.959963984540054
    rate = right / total
    middle = (rate + z**2 / (2 * total)) / (1 + z**2 / total)
    half = z / (1 + z**2 / total) * math.sqrt(rate * (1 - rate) / total + z**2 / (4 * total**2))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def slope(places: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of the line of least squares.

    Examples
    --------
    >>> slope([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    2.0
    """
    return statistics.linear_regression(places, values).slope
