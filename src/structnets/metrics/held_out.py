"""Scores of predictions of held-out people: accuracy, AUC, ROC, calibration and Brier."""

from __future__ import annotations

from typing import Any

import numpy as np

BINS = 5


def accuracy(labels: np.ndarray, answers: np.ndarray) -> Any:
    """Return the part of right answers, in percent.

    Parameters
    ----------
    labels, answers : numpy.ndarray
        (..., N) class indices.
    """
    return 100.0 * np.mean(labels == answers, axis=-1)


def balanced_accuracy(labels: np.ndarray, answers: np.ndarray) -> Any:
    """Return the mean over classes of the part of right answers, in percent, as `accuracy`."""
    classes = np.unique(labels)
    found = 0.0
    for label in classes:
        of = labels == label
        found = found + (of & (labels == answers)).sum(-1) / of.sum(-1)
    return 100.0 * found / len(classes)


def auc(labels: np.ndarray, scores: np.ndarray) -> Any:
    """Return the area under the ROC curve in percent, of (..., N) labels 0 or 1 and scores.

    Raises
    ------
    ValueError
        If a label is neither 0 nor 1.
    """
    from scipy.stats import rankdata

    positive, negative = labels == 1, labels == 0
    if not (positive | negative).all():
        raise ValueError(f"labels must be 0 or 1, got {sorted(set(np.unique(labels).tolist()))}")
    ranks = rankdata(scores, axis=-1)
    above = (ranks * positive).sum(-1) - positive.sum(-1) * (positive.sum(-1) + 1) / 2
    return 100.0 * above / (positive.sum(-1) * negative.sum(-1))


def mean_auc(labels: np.ndarray, scores: np.ndarray) -> Any:
    """Return the mean over classes of the `auc` of each against all others, in percent.

    Parameters
    ----------
    labels : numpy.ndarray
        (..., N) class indices; every class is there.
    scores : numpy.ndarray
        (..., N, classes).

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    _refuse_others(labels, scores.shape[-1])
    areas = [
        auc((labels == number).astype(np.int64), scores[..., number])
        for number in range(scores.shape[-1])
    ]
    return np.mean(areas, axis=0)


def roc_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates at every threshold, from (0, 0) to (1, 1).

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) 0 or 1, both present.
    scores : numpy.ndarray
        (N,), higher means more positive; equal ones make one step.

    Raises
    ------
    ValueError
        If a score is not a number.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if np.isnan(scores).any():
        raise ValueError(f"{int(np.isnan(scores).sum())} scores are NaN: leave their people out")
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Differences of infinite scores are not numbers.
    last = np.append(ordered[1:] != ordered[:-1], True)
    positive = np.cumsum(labels[order] == 1)[last]
    negative = np.cumsum(labels[order] == 0)[last]
    true, false = positive / positive[-1], negative / negative[-1]
    return np.insert(false, 0, 0.0), np.insert(true, 0, 0.0)


def calibration(
    labels: np.ndarray, probabilities: np.ndarray, bins: int = BINS
) -> list[tuple[float, float, int]]:
    """Compare stated probabilities of the positive class with how often it was true.

    Returns
    -------
    list of (float, float, int)
        Of each bin of equal width that has people: mean probability, part that is positive, how
        many.

    Raises
    ------
    ValueError
        If a probability is not from 0 to 1.
    """
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        wrong = probabilities[~((probabilities >= 0) & (probabilities <= 1))]
        raise ValueError(f"probabilities must be from 0 to 1, got {wrong[0]:g}")
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    return [
        (
            float(probabilities[place == number].mean()),
            float(labels[place == number].mean()),
            int((place == number).sum()),
        )
        for number in range(bins)
        if (place == number).any()
    ]


def brier(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean squared error of probabilities: 0 is perfect, 0.25 is always saying half."""
    return float(np.mean((probabilities - labels) ** 2))


def brier_of_classes(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the mean over samples of the squared errors of all classes' probabilities, summed.

    Of two classes it is twice `brier`; 0 is perfect, and always saying the same of K classes is
    1 - 1 / K.

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) class indices.
    probabilities : numpy.ndarray
        (N, classes).

    Raises
    ------
    ValueError
        If a label is none of the classes.
    """
    _refuse_others(labels, probabilities.shape[1])
    true = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(((probabilities - true) ** 2).sum(1)))


def _refuse_others(labels: np.ndarray, classes: int) -> None:
    """Refuse labels that are no class: negative ones would be taken from the end."""
    wrong = labels[(labels < 0) | (labels >= classes)]
    if wrong.size:
        raise ValueError(f"labels must be from 0 to {classes - 1}, got {wrong[0]}")
