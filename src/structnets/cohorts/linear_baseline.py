"""The linear baseline of Table 5: logistic regression on standardised voxels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from structnets.metrics.binary import cross_validated


def cross_validate_linear(
    volumes: np.ndarray,
    labels: np.ndarray,
    folds: Sequence[np.ndarray],
    *,
    penalty: float = 1.0,
    balanced: bool = True,
) -> dict[str, Any]:
    """Cross-validate a logistic regression whose inputs are volumes z-scored one by one.

    Parameters
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z); each is flattened and standardised by its own mean and deviation.
    labels : numpy.ndarray
        (N,) 0 or 1.
    folds : sequence of numpy.ndarray
        One (N,) array of fold numbers per repetition.
    penalty : float
        Inverse strength C of the L2 penalty on the weights.
    balanced : bool
        Weigh samples so that both classes count alike.

    Returns
    -------
    dict
        As `structnets.metrics.binary.cross_validated`, over the folds of all repetitions.
    """
    features = standardized(volumes)
    scores, numbers, repeated = [], [], []
    offset = 0
    for dealt in folds:
        scores.append(_held_out(features, labels, dealt, penalty, balanced))
        numbers.append(dealt + offset)
        repeated.append(labels)
        offset += int(dealt.max()) + 1
    return cross_validated(
        np.concatenate(repeated), np.concatenate(scores), np.concatenate(numbers)
    )


def standardized(volumes: np.ndarray) -> np.ndarray:
    """Flatten volumes and give each mean 0 and deviation 1, (N, voxels) float64."""
    flat = volumes.reshape(len(volumes), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(flat.std(axis=1, keepdims=True), 1e-12)


def _held_out(
    features: np.ndarray, labels: np.ndarray, dealt: np.ndarray, penalty: float, balanced: bool
) -> np.ndarray:
    """Return the log-odds of every sample from the fit that did not see it."""
    from sklearn.linear_model import LogisticRegression

    # The fit sees samples only through their inner products, so that a rotation onto the at
    # most N directions they span changes nothing but the time it takes.
    values, directions = np.linalg.eigh(features @ features.T)
    reduced = directions * np.sqrt(np.maximum(values, 0))
    scores = np.empty(len(labels))
    weight = "balanced" if balanced else None
    for fold in np.unique(dealt):
        held = dealt == fold
        fit = LogisticRegression(C=penalty, class_weight=weight, max_iter=5000)
        fit.fit(reduced[~held], labels[~held])
        scores[held] = fit.decision_function(reduced[held])
    return scores
