"""How well labels are told that samples may have any number of, all in percent.

A label is taken as given where its probability is above one half, that is its logit above 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from structnets.metrics.binary import binary_scores

_FEWEST_DRAWS, _MOST_DRAWS, _SHUFFLED = 200, 1000, 2_000_000


def average_precision(labels: np.ndarray, scores: np.ndarray) -> Any:
    """Return the mean of the precision at each sample that has the label, from the surest on.

    Samples of one score come together. Who gives all the same score reaches the part of samples
    that have the label; a random order reaches more than that, where they are few.

    Parameters
    ----------
    labels : numpy.ndarray
        (..., N), 1 where a sample has the label, else 0; some have it.
    scores : numpy.ndarray
        (N,), higher means surer.

    Returns
    -------
    float or numpy.ndarray
        Of the leading axes of the labels; not a number where a score is none.
    """
    scores = np.asarray(scores, dtype=np.float64)
    if np.isnan(scores).any():
        return np.full(labels.shape[:-1], np.nan)[()]
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Differences of infinite scores are not numbers.
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    found = np.cumsum(labels[..., order], axis=-1)[..., last]
    steps = np.diff(found, axis=-1, prepend=0) / found[..., -1:]
    return 100.0 * (steps * found / (last + 1)).sum(-1)


def scores_of_each(sets: np.ndarray, scores: np.ndarray, threshold: float = 0.0) -> dict[str, Any]:
    """Return ``ap``, ``auc`` and ``f1`` of each label, (labels,).

    Parameters
    ----------
    sets : numpy.ndarray
        (N, labels), 1 where a sample has a label, else 0.
    scores : numpy.ndarray
        (N, labels), logits; or probabilities with the threshold 0.5.

    Returns
    -------
    dict
        Not a number where all or none of the samples have the label.
    """
    found = {key: np.full(sets.shape[1], np.nan) for key in ("ap", "auc", "f1")}
    given = scores > threshold
    for label in np.flatnonzero((sets.max(0) > 0) & (sets.min(0) == 0)):
        has, said = sets[:, label], scores[:, label]
        found["ap"][label] = average_precision(has, said)
        found["auc"][label] = binary_scores(has, said)["auc"]
        right = (given[:, label] & (has == 1)).sum()
        found["f1"][label] = 200.0 * right / (given[:, label].sum() + has.sum())
    return found


def scores_of_labels(
    sets: np.ndarray, scores: np.ndarray, threshold: float = 0.0
) -> dict[str, float]:
    """Return ``map``, ``auc`` and ``f1``, means over labels, and ``exact_match``.

    The last is the part of samples of which every label is told rightly. Parameters are those of
    `scores_of_each`; labels that all or none of the samples have do not count, and what is defined
    of no label is left out.
    """
    each = scores_of_each(sets, scores, threshold)
    exact = 100.0 * float(((scores > threshold) == (sets == 1)).all(axis=1).mean())
    counted = ~np.isnan(each["ap"])
    if not counted.any():
        return {"exact_match": exact}
    names = {"map": "ap", "auc": "auc", "f1": "f1"}
    means = {name: float(each[key][counted].mean()) for name, key in names.items()}
    return {**means, "exact_match": exact}


def by_chance(
    sets: np.ndarray, answers: np.ndarray, draws: int | None = None, seed: int = 0
) -> float:
    """Return how often shuffled answers reach the mean average precision of these, or more.

    Answers are shuffled among the samples, all labels of one together.

    Parameters
    ----------
    sets : numpy.ndarray
        (N, labels).
    answers : numpy.ndarray
        (S, N, labels), of S trainings, whose mean is compared.
    draws : int, optional
        Times that they are shuffled; by default 1000, and of many samples as few as 200.

    Returns
    -------
    float
        (1 + times as good) / (1 + draws), never 0.
    """
    rng = np.random.default_rng(seed)
    draws = draws or min(_MOST_DRAWS, max(_FEWEST_DRAWS, _SHUFFLED // len(sets)))
    orders = rng.permuted(np.tile(np.arange(len(sets)), (draws, 1)), axis=1)
    reached, shuffled = 0.0, np.zeros(draws)
    for label in np.flatnonzero((sets.max(0) > 0) & (sets.min(0) == 0)):
        of_label = sets[:, label]
        mixed = of_label[orders]
        for said in answers[..., label]:
            reached += average_precision(of_label, said)
            shuffled += average_precision(mixed, said)
    return (1 + int((shuffled >= reached - 1e-9).sum())) / (1 + draws)
