"""How well labels are told that samples may have any number of, all in percent.

A label is taken as given where its probability is above one half, that is its logit above 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from structnets.metrics.binary import binary_scores
from structnets.metrics.grouped import rows_of

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


def mean_average_precision(sets: np.ndarray, scores: np.ndarray) -> float:
    """Return ``map`` of `scores_of_labels` alone; not a number where it is defined of no label."""
    labels = np.flatnonzero((sets.max(0) > 0) & (sets.min(0) == 0))
    each = [average_precision(sets[:, n], scores[:, n]) for n in labels]
    return float(np.mean(each)) if each else float("nan")


def by_chance(
    sets: np.ndarray,
    answers: np.ndarray,
    draws: int | None = None,
    seed: int = 0,
    groups: Sequence[object] | None = None,
) -> float:
    """Return how often shuffled answers reach the mean average precision of these, or more.

    Answers are shuffled among the samples, all labels of one together; or among groups.

    Parameters
    ----------
    sets : numpy.ndarray
        (N, labels).
    answers : numpy.ndarray
        (S, N, labels), of S trainings, whose mean is compared.
    draws : int, optional
        Times that they are shuffled; by default 1000, and of many samples as few as 200.
    groups : sequence, optional
        N groups, each of which gets the answers of another, from one drawn sample on in their
        order: answers of one group are alike, and those of neighbours in it.

    Returns
    -------
    float
        (1 + times as good) / (1 + draws), never 0.
    """
    rng = np.random.default_rng(seed)
    draws = draws or draws_of(len(sets))
    if groups is not None:
        return _by_chance_of_groups(sets, answers, draws, rows_of(groups), rng)
    orders = rng.permuted(np.tile(np.arange(len(sets)), (draws, 1)), axis=1)
    reached, shuffled = 0.0, np.zeros(draws)
    for label in np.flatnonzero((sets.max(0) > 0) & (sets.min(0) == 0)):
        of_label = sets[:, label]
        mixed = of_label[orders]
        for said in answers[..., label]:
            reached += average_precision(of_label, said)
            shuffled += average_precision(mixed, said)
    return (1 + int((shuffled >= reached - 1e-9).sum())) / (1 + draws)


def draws_of(count: int) -> int:
    """Return how often so many samples are shuffled, or drawn."""
    return min(_MOST_DRAWS, max(_FEWEST_DRAWS, _SHUFFLED // count))


def _by_chance_of_groups(
    sets: np.ndarray,
    answers: np.ndarray,
    draws: int,
    rows: Sequence[np.ndarray],
    rng: np.random.Generator,
) -> float:
    def reached(order: np.ndarray) -> float:
        return sum(mean_average_precision(sets, said[order]) for said in answers)

    least, hits = reached(np.arange(len(sets))) - 1e-9, 0
    for _ in range(draws):
        order = np.empty(len(sets), np.int64)
        for mine, other in zip(rows, rng.permutation(len(rows)), strict=True):
            theirs = rows[other]
            order[mine] = np.resize(np.roll(theirs, rng.integers(len(theirs))), len(mine))
        hits += not reached(order) < least  # no number where no label is told
    return (1 + hits) / (1 + draws)
