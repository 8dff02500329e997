"""How far estimates of a score are from it.

All take scores and estimates of the shape (..., N) and return one number for each of the leading
axes, so that intervals and permutations can be computed at once (`structnets.metrics.resampling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_FAR = 5  # spans between the quartiles


def mae(scores: np.ndarray, estimates: np.ndarray) -> Any:
    """Return the mean absolute error, in the units of the scores."""
    return np.mean(np.abs(_real(scores) - _real(estimates)), axis=-1)


def rmse(scores: np.ndarray, estimates: np.ndarray) -> Any:
    """Return the root of the mean squared error, in the units of the scores."""
    return np.sqrt(np.mean(np.square(_real(scores) - _real(estimates)), axis=-1))


def r2(scores: np.ndarray, estimates: np.ndarray) -> Any:
    """Return the coefficient of determination: 1 is perfect, 0 as good as always the mean.

    The mean is that of the scores that are estimated. Whoever says the mean of the people that were
    trained on, in place of these, is below 0. Not a number where all scores are alike.
    """
    scores, estimates = _real(scores), _real(estimates)
    around = scores - scores.mean(axis=-1, keepdims=True)
    left, total = np.square(scores - estimates).sum(-1), np.square(around).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(_are_alike(scores, around), np.nan, 1 - left / total)


def pearson(scores: np.ndarray, estimates: np.ndarray) -> Any:
    """Return the correlation of Pearson; not a number where scores or estimates are all alike."""
    scores, estimates = _real(scores), _real(estimates)
    a = scores - scores.mean(axis=-1, keepdims=True)
    b = estimates - estimates.mean(axis=-1, keepdims=True)
    spreads = [np.sqrt(np.square(part).sum(-1)) for part in (a, b)]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (a * b).sum(-1) / (spreads[0] * spreads[1])
    return np.where(_are_alike(scores, a) | _are_alike(estimates, b), np.nan, found)


def _real(values: np.ndarray) -> np.ndarray:
    """Return values as float64: differences of unsigned integers are never below 0."""
    return np.asarray(values, dtype=np.float64)


def _are_alike(values: np.ndarray, around: np.ndarray) -> Any:
    """Say whether values are all alike, but for what rounding leaves around their mean."""
    spread, size = np.sqrt(np.square(around).sum(-1)), np.abs(values).max(axis=-1)
    return spread <= 1e-12 * size * np.sqrt(values.shape[-1])


def scores_of_estimates(scores: np.ndarray, estimates: np.ndarray) -> dict[str, float]:
    """Return ``mae``, ``rmse``, ``r2`` and ``r`` of (N,); what is not defined is left out."""
    found = {
        "mae": mae(scores, estimates),
        "rmse": rmse(scores, estimates),
        "r2": r2(scores, estimates),
        "r": pearson(scores, estimates),
    }
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def far_values(scores: Sequence[float]) -> list[float]:
    """Return the values that lie far from all others, as codes for a missing value do.

    What is not a number is left out.

    Examples
    --------
    >>> far_values([61, 64, 66, 70, 71, 75, 999])
    [999.0]
    """
    values = np.unique(np.asarray(scores, dtype=float))  # a code may stand for many people
    values = values[~np.isnan(values)]
    finite = values[np.isfinite(values)]
    if not finite.size:
        return []
    low, high = np.quantile(finite, [0.25, 0.75])
    span = _FAR * (high - low)
    return [float(value) for value in values if not low - span <= value <= high + span]
