"""Scores from counts: precision, recall, F, ODS, OIS, AP, R50, as the original benchmark has them.

An empty sum gives 0, never NaN: with no predicted pixel precision is 0, with no true pixel (empty
ground truth) recall is 0, and F is 0 where either is. An image without true pixels still counts its
predicted pixels as false ones; an all-zero prediction scores 0 at every threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_STEPS = 100  # points between two thresholds at which the best F is sought


def precision_recall(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and recall, (…,) float64, of counts (…, 4)."""
    matched_true, true, matched_predicted, predicted = np.moveaxis(counts, -1, 0)
    recall = matched_true / np.maximum(true, 1)
    precision = matched_predicted / np.maximum(predicted, 1)
    return precision, recall


def f_measure(precision: Any, recall: Any) -> Any:
    """Return the harmonic mean, 0 where both are 0."""
    total = np.asarray(precision) + np.asarray(recall)
    return 2 * np.asarray(precision) * recall / np.where(total == 0, 1, total)


def best_point(thresholds: np.ndarray, counts: np.ndarray) -> dict[str, float]:
    """Return threshold, precision, recall and f where F is highest.

    Precision and recall are interpolated linearly between neighbouring thresholds; the lowest
    threshold wins a tie.

    Parameters
    ----------
    thresholds : numpy.ndarray
        (T,) ascending.
    counts : numpy.ndarray
        (T, 4), of one image or summed over images.
    """
    precision, recall = precision_recall(counts)
    points = np.stack([thresholds, precision, recall])
    share = np.linspace(0, 1, _STEPS)
    between = points[:, 1:, None] * share + points[:, :-1, None] * (1 - share)
    candidates = np.concatenate([points[:, :1], between.reshape(3, -1)], axis=1)
    f = f_measure(candidates[1], candidates[2])
    best = int(np.argmax(f))
    names = ("threshold", "precision", "recall", "f")
    return dict(zip(names, (*map(float, candidates[:, best]), float(f[best])), strict=True))


def average_precision(counts: np.ndarray) -> float:
    """Return the area under the curve at recalls 0, .01, …, 1, zero outside the measured ones.

    Of thresholds with equal recall the highest counts. That nothing is extrapolated makes the area
    of a detector with few or coarse thresholds small.
    """
    precision, recall = precision_recall(counts)
    # The index of the last occurrence is what unique() finds in the reversed array.
    values, index = np.unique(recall[::-1], return_index=True)
    if len(values) < 2:
        return 0.0
    heights = np.interp(np.linspace(0, 1, 101), values, precision[::-1][index], left=0, right=0)
    return float(heights.sum() * 0.01)


def recall_at_half(counts: np.ndarray) -> float | None:
    """Return the recall at precision one half (R50), or None where precision stays below.

    Where precision is above one half at every threshold it is the recall at the least precision.
    """
    precision, recall = precision_recall(counts)
    values, index = np.unique(precision, return_index=True)
    if values[-1] < 0.5:
        return None
    return float(np.interp(max(values[0], 0.5), values, recall[index]))


def summarize(ids: Sequence[str], counts: np.ndarray, thresholds: np.ndarray) -> dict[str, Any]:
    """Summarise a set of images.

    Parameters
    ----------
    ids : sequence of str
        Names of the N images.
    counts : numpy.ndarray
        (N, T, 4) int64, as `structnets.metrics.boundary.count_matches` returns them.
    thresholds : numpy.ndarray
        (T,) ascending.

    Returns
    -------
    dict
        Plain JSON. ``ods``: the best point of the summed counts (optimal data set scale);
        ``ois``: counts summed at each image's own best threshold (optimal image scale); ``ap``;
        ``r50``; ``images``: the best point of each; ``curve``: one point a threshold.

    Raises
    ------
    ValueError
        If there is no image.
    """
    if not len(ids):
        raise ValueError("ids is empty; there is no image to summarise")
    total = counts.sum(axis=0)
    precision, recall = precision_recall(counts)
    best = np.argmax(f_measure(precision, recall), axis=1)
    chosen = np.take_along_axis(counts, best[:, None, None], axis=1).sum(axis=(0, 1))
    return {
        "ods": best_point(thresholds, total),
        "ois": _point(*precision_recall(chosen)),
        "ap": average_precision(total),
        "r50": recall_at_half(total),
        "images": [
            {"id": name, **best_point(thresholds, each)}
            for name, each in zip(ids, counts, strict=True)
        ],
        "curve": [
            {"threshold": float(threshold), **_point(p, r)}
            for threshold, p, r in zip(thresholds, *precision_recall(total), strict=True)
        ],
    }


def _point(precision: Any, recall: Any) -> dict[str, float]:
    f = float(f_measure(precision, recall))
    return {"precision": float(precision), "recall": float(recall), "f": f}
