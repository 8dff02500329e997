"""Scores of a two-class decision, such as patients against controls (Table 5)."""

from __future__ import annotations

import numpy as np


def binary_scores(
    labels: np.ndarray, scores: np.ndarray, threshold: float = 0.0
) -> dict[str, float]:
    """Score decisions about who is positive.

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) 0 or 1; 1 is the positive class (patients).
    scores : numpy.ndarray
        (N,), higher means more positive; a log-odds, or a probability with threshold 0.5.
    threshold : float
        Scores above it decide for the positive class.

    Returns
    -------
    dict
        In percent: ``accuracy``, ``tpr`` (true positive rate, sensitivity), ``spc``
        (specificity), ``balanced_accuracy`` (their mean) and ``auc`` (the area under the ROC
        curve, ties counted half). A rate whose class is absent is NaN.

    Raises
    ------
    ValueError
        If there is no sample, shapes differ, a label is neither 0 nor 1 or a score is NaN.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if labels.shape != scores.shape or labels.ndim != 1 or not labels.size:
        raise ValueError(
            f"labels and scores must be non-empty (N,), got {labels.shape} and {scores.shape}"
        )
    if not np.isin(labels, (0, 1)).all():
        raise ValueError(f"labels must be 0 or 1, got {sorted(set(labels.tolist()))}")
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} scores are NaN")
    positive, decided = labels == 1, scores > threshold
    tpr, spc = _rate(decided[positive]), _rate(~decided[~positive])
    return {
        "accuracy": _rate(decided == positive),
        "tpr": tpr,
        "spc": spc,
        "balanced_accuracy": (tpr + spc) / 2,
        "auc": _area(scores[positive], scores[~positive]),
    }


def _rate(hits: np.ndarray) -> float:
    return 100.0 * float(hits.mean()) if hits.size else float("nan")


def _area(positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the part of (positive, negative) pairs in the right order, by ranks."""
    if not positive.size or not negative.size:
        return float("nan")
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left").sum()
    equal = np.searchsorted(ordered, positive, side="right").sum() - below
    return 100.0 * float(below + equal / 2) / (positive.size * negative.size)
