"""What predictions of held-out people say: intervals, chance, ROC and calibration.

Every person is predicted by a model that did not see them. Two sources of chance are told apart:
which people were in the sample (the bootstrap) and whether the predictions know the labels at all
(the permutations). Neither repeats a training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

DRAWS, PERMUTATIONS, BINS = 2000, 10_000, 5

Score = Callable[[np.ndarray, np.ndarray], Any]
"""Of labels and answers (..., N): the score of each of the leading axes."""


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
    """Return the area under the ROC curve in percent, of (..., N) labels 0 or 1 and scores."""
    from scipy.stats import rankdata

    positive, negative = labels == 1, labels == 0
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
    """
    areas = [
        auc((labels == number).astype(np.int64), scores[..., number])
        for number in range(scores.shape[-1])
    ]
    return np.mean(areas, axis=0)


def bootstrap_interval(
    score: Score,
    labels: np.ndarray,
    answers: np.ndarray,
    groups: Sequence[object],
    *,
    strata: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile interval of a score over other samples of people.

    People are drawn with replacement within each stratum, by default within each class, so that a
    class is never absent; all rows of one are drawn together. The models stay as they were trained:
    how they would differ with other people to train on is not in the interval.

    Parameters
    ----------
    score : callable
        Of labels and answers.
    labels, answers : numpy.ndarray
        (N,), one row a scan; answers may be real numbers, as log-odds.
    groups : sequence
        N people.
    strata : numpy.ndarray, optional
        (N,) integers; by default the labels.

    Returns
    -------
    tuple of float
        Lower and upper end.
    """
    strata = labels if strata is None else strata
    rng = np.random.default_rng(seed)
    rows: dict[object, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    members: dict[int, list[np.ndarray]] = {}
    for of in rows.values():
        members.setdefault(int(strata[of[0]]), []).append(np.array(of))
    if len(rows) == len(labels):
        parts = []
        for _, people in sorted(members.items()):
            drawn = rng.integers(len(people), size=(draws, len(people)))
            parts.append(np.concatenate(people)[drawn])
        taken = np.concatenate(parts, axis=1)
        found = score(labels[taken], answers[taken])
    else:
        found = np.empty(draws)
        for draw in range(draws):
            chosen = [
                people[index]
                for _, people in sorted(members.items())
                for index in rng.integers(len(people), size=len(people))
            ]
            of_draw = np.concatenate(chosen)
            found[draw] = score(labels[of_draw], answers[of_draw])
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def gain_interval(
    others: np.ndarray, errors: np.ndarray, groups: Sequence[object]
) -> tuple[float, float]:
    """Return the interval of how much less `errors` are than those of another, on average.

    Parameters
    ----------
    others, errors : numpy.ndarray
        (N,).
    groups : sequence
        N people; pictures are one each.
    """
    # As a score of two answers of each: the mean of their difference.
    return bootstrap_interval(
        lambda more, less: np.mean(more - less, axis=-1),
        others,
        errors,
        groups,
        strata=np.zeros(len(errors), dtype=np.int64),
    )


def mean_over_repeats(score: Score, answers: np.ndarray | Sequence[np.ndarray]) -> Score:
    """Return the mean over repeats of a score, as one of labels and rows: numbers of the scans.

    Repeats are of the same people. So people are drawn, or labels shuffled, once for all repeats,
    by `bootstrap_interval` and `permutation_p` of ``np.arange(N)`` in place of answers.

    Parameters
    ----------
    score : callable
        Of labels and answers.
    answers : numpy.ndarray or sequence of numpy.ndarray
        (repeats, N, ...), what every repeat says of the scans.
    """

    def mean(labels: np.ndarray, rows: np.ndarray) -> Any:
        return np.mean([score(labels, said[rows]) for said in answers], axis=0)

    return mean


def all_or_none_interval(
    labels: np.ndarray,
    right: np.ndarray,
    groups: Sequence[object],
    *,
    balanced: bool,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return an interval where a bootstrap has none: a class is wholly right or wholly wrong.

    Whoever is drawn from such a class, its rate stays, and a bootstrap would take it for certain.
    Each class' rate is drawn from its posterior under Jeffreys' prior instead.

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) classes.
    right : numpy.ndarray
        (N,) whether the answers are right, or in which part of the repeats.
    groups : sequence
        N people; the scans of one count as one.
    balanced : bool
        Weigh classes alike, instead of people.

    Returns
    -------
    tuple of float or None
        In percent; None if every class has both.
    """
    counts, hits = [], []
    names = np.array([str(group) for group in groups])
    for label in np.unique(labels):
        of = labels == label
        each = [right[of & (names == name)].mean() for name in np.unique(names[of])]
        counts.append(len(each))
        hits.append(float(np.sum(each)))
    n, k = np.array(counts), np.array(hits)
    if not ((k == 0) | (k == n)).any():
        return None
    rng = np.random.default_rng(seed)
    rates = rng.beta(k + 0.5, n - k + 0.5, size=(draws, len(n)))
    scores = 100 * (rates.mean(1) if balanced else rates @ (n / n.sum()))
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return (0.0 if not k.any() else float(low)), (100.0 if (k == n).all() else float(high))


def permutation_p(
    score: Score,
    labels: np.ndarray,
    answers: np.ndarray,
    groups: Sequence[object] | None = None,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> float:
    """Return how often shuffled labels give the score or more: a permutation of the predictions.

    The predictions stay and the labels are shuffled; nothing is trained again. It tests whether
    predictions and labels are related, and is somewhat optimistic where trainings share people.

    Parameters
    ----------
    groups : sequence, optional
        N people, who are shuffled: all rows of one get the label of another. Where somebody's rows
        have several labels, all labels of a person go to one of as many rows.

    Returns
    -------
    float
        (1 + times as good) / (1 + permutations), never 0.
    """
    rng = np.random.default_rng(seed)
    reached = score(labels, answers) - 1e-9
    if groups is None or len(set(groups)) == len(labels):
        shuffled = rng.permuted(np.tile(labels, (permutations, 1)), axis=1)
    else:
        shuffled = _shuffled_between(groups, labels, permutations, rng)
    hits = int((score(shuffled, answers) >= reached).sum())
    return (1 + hits) / (1 + permutations)


def _shuffled_between(
    groups: Sequence[object], labels: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return labels (count, N) that were shuffled between groups."""
    rows: dict[object, list[int]] = {}
    for row, group in enumerate(groups):
        rows.setdefault(group, []).append(row)
    if all(len(set(labels[of].tolist())) == 1 for of in rows.values()):
        place = {group: number for number, group in enumerate(rows)}
        each = np.array([labels[of[0]] for of in rows.values()])
        dealt = rng.permuted(np.tile(each, (count, 1)), axis=1)
        return dealt[:, [place[group] for group in groups]]
    shuffled = np.tile(labels, (count, 1))
    for size in sorted({len(of) for of in rows.values()}):
        blocks = np.array([of for of in rows.values() if len(of) == size])
        order = rng.permuted(np.tile(np.arange(len(blocks)), (count, 1)), axis=1)
        shuffled[:, blocks] = labels[blocks[order]]
    return shuffled


def roc_points(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false and true positive rates at every threshold, from (0, 0) to (1, 1).

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) 0 or 1, both present.
    scores : numpy.ndarray
        (N,), higher means more positive; equal ones make one step.
    """
    order = np.argsort(-scores, kind="stable")
    last = np.append(np.diff(scores[order]) != 0, True)
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
    """
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
    """
    true = np.eye(probabilities.shape[1])[labels]
    return float(np.mean(((probabilities - true) ** 2).sum(1)))
