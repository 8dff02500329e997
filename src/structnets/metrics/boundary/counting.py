"""Pixels of one image that correspond to the ground truth, at every threshold.

A row of counts holds, for one threshold: true pixels with a partner and true pixels, each summed
over annotators; predicted pixels with a partner for at least one annotator, and predicted pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from structnets.metrics.boundary.suppression import SUPPRESSIONS, describe_suppression

COLUMNS = ("matched_true", "true", "matched_predicted", "predicted")


@dataclass(frozen=True)
class Settings:
    """How boundaries are compared; the defaults are the benchmark's.

    Attributes
    ----------
    thresholds : int
        Number of thresholds, spaced evenly inside (0, 1).
    max_distance : float
        Largest distance of corresponding pixels, as a part of the image's diagonal.
    thin : bool
        Thin each thresholded map to lines one pixel wide first.
    nms : str
        Suppression of the probability map before all else: ``none`` for maps that are thin
        already, ``edges`` or ``hed`` for raw ones.

    Raises
    ------
    ValueError
        If a value is out of range.
    """

    thresholds: int = 99
    max_distance: float = 0.0075
    thin: bool = True
    nms: str = "none"

    def __post_init__(self) -> None:
        if not 1 <= self.thresholds <= 999:
            raise ValueError(f"thresholds must lie in 1..999, got {self.thresholds}")
        if not 0 < self.max_distance <= 0.1:
            raise ValueError(f"max_distance must lie in (0, 0.1], got {self.max_distance}")
        describe_suppression(self.nms)

    def record(self) -> dict[str, Any]:
        """Return all of it as plain JSON, with the numbers behind the suppression's name."""
        return {**asdict(self), "nms_numbers": describe_suppression(self.nms)}


def threshold_values(count: int) -> np.ndarray:
    """Return `count` thresholds from 1 / (count + 1) to count / (count + 1), as MATLAB rounds them.

    The multiplication comes before the division, as in its ``linspace``: a grey value such as
    51 / 255 lies on a threshold, where the last bit decides.
    """
    first, last = 1 / (count + 1), 1 - 1 / (count + 1)
    values = first + np.arange(count) * (last - first) / max(count - 1, 1)
    values[-1] = last
    return values


def count_matches(
    prediction: np.ndarray, truths: Sequence[np.ndarray], settings: Settings | None = None
) -> np.ndarray:
    """Compare one prediction with the boundaries of all annotators.

    Each annotator is matched separately.

    Parameters
    ----------
    prediction : numpy.ndarray
        (H, W) float in 0..1, the strength of a boundary at each pixel.
    truths : sequence of numpy.ndarray
        (H, W) bool each, one per annotator; they need not be thin and may be empty.
    settings : Settings, optional
        By default the benchmark's.

    Returns
    -------
    numpy.ndarray
        (thresholds, 4) int64, the columns of `COLUMNS`.

    Raises
    ------
    ValueError
        If there is no annotator, the sizes differ or the prediction is not such a map.
    """
    from structnets.metrics.boundary.matching import Matcher
    from structnets.metrics.boundary.thinning import thin

    settings = settings or Settings()
    check_probability(prediction, "prediction")
    _check_truths(prediction, truths)
    strength = _suppressed(prediction, settings.nms)
    reach = settings.max_distance * float(np.hypot(*prediction.shape))
    matchers = [Matcher(truth, reach) for truth in truths]
    true = sum(int(np.count_nonzero(truth)) for truth in truths)
    counts = np.zeros((settings.thresholds, len(COLUMNS)), dtype=np.int64)
    previous = np.zeros(prediction.shape, dtype=np.bool_)
    row = np.array([0, true, 0, 0])
    # From high to low, so that a map mostly grows, which is what the matchers follow at least cost.
    for index in reversed(range(settings.thresholds)):
        mask = strength >= threshold_values(settings.thresholds)[index]
        if not np.array_equal(mask, previous):
            row = _counts_of(thin(mask) if settings.thin else mask, matchers, true)
        counts[index], previous = row, mask
    return counts


def check_probability(values: np.ndarray, name: str) -> None:
    """Check that `values` is a map of finite floats in 0..1; `name` is how the error calls it.

    Raises
    ------
    ValueError
        If it is not.
    """
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"{name} has shape {values.shape}; allowed: (H, W), at least 2 x 2")
    if not np.issubdtype(values.dtype, np.floating):
        raise ValueError(f"{name} has type {values.dtype}; allowed: floating point in 0..1")
    if not np.isfinite(values).all():
        bad = int(np.count_nonzero(~np.isfinite(values)))
        raise ValueError(f"{name} has {bad} values that are NaN or infinite")
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"{name} has values in {values.min():g}..{values.max():g}; allowed: 0..1 "
            "(apply the sigmoid, or divide by the largest possible value)"
        )


def _check_truths(prediction: np.ndarray, truths: Sequence[np.ndarray]) -> None:
    if not len(truths):
        raise ValueError("truths is empty; at least one annotator is needed")
    for number, truth in enumerate(truths):
        if truth.shape != prediction.shape:
            raise ValueError(
                f"prediction has {prediction.shape} pixels, truth {number} has {truth.shape}"
                f"{_guess(prediction.shape, truth.shape)}"
            )


def _guess(predicted: tuple[int, ...], true: tuple[int, ...]) -> str:
    if predicted == true[::-1]:
        return "; the prediction seems transposed"
    if predicted == tuple(2 * side + 1 for side in true):
        return "; a double-sized contour map must be a variable named ucm2 in a .mat file"
    return "; save it at the size of the image"


def _suppressed(prediction: np.ndarray, nms: str) -> np.ndarray:
    from structnets.metrics.boundary.suppression import suppress

    numbers = SUPPRESSIONS[nms]
    return prediction if numbers is None else suppress(prediction, numbers)


def _counts_of(mask: np.ndarray, matchers: Sequence[Any], true: int) -> np.ndarray:
    matched_true, union = 0, np.zeros(mask.shape, dtype=np.bool_)
    for matcher in matchers:
        matched = matcher.match(mask)
        matched_true += int(np.count_nonzero(matched))
        union |= matched
    return np.array([matched_true, true, np.count_nonzero(union), np.count_nonzero(mask)])
