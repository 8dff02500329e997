"""How sure scores of held-out people are: intervals by the bootstrap, and permutations.

Every person is predicted by a model that did not see them. Two sources of chance are told apart:
which people were in the sample (the bootstrap) and whether the predictions know the labels at all
(the permutations). Neither repeats a training.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

DRAWS, PERMUTATIONS = 2000, 10_000

Score = Callable[[np.ndarray, np.ndarray], Any]
"""Of labels and answers (..., N): the score of each of the leading axes."""


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
    class is never absent, and of a continuous score all together; all rows of one are drawn
    together. The models stay as they were trained:
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
        (N,) integers; by default the labels, if they are classes: whole numbers, of which there
        are two, or at most half as many as people.

    Returns
    -------
    tuple of float
        Lower and upper end.

    Raises
    ------
    ValueError
        If strata are not whole numbers.
    """
    if strata is None:
        classes = _are_classes(labels, len(set(groups)))
        strata = labels if classes else np.zeros(len(labels), dtype=np.int64)
    elif not _are_whole(strata):
        raise ValueError(
            "strata must be whole numbers, one for each part that people are drawn within; of a "
            "continuous score leave them out, so that all people are drawn together"
        )
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


def _are_whole(values: np.ndarray) -> bool:
    numbers = np.asarray(values, dtype=np.float64)
    return bool((np.isfinite(numbers) & (numbers == np.floor(numbers))).all())


def _are_classes(labels: np.ndarray, people: int) -> bool:
    """Say whether labels are classes: who is drawn from a stratum of one person never varies."""
    return _are_whole(labels) and len(np.unique(labels)) <= max(2, people // 2)


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
        np.asarray(others, dtype=np.float64),
        np.asarray(errors, dtype=np.float64),
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
        (1 + times as good) / (1 + permutations), never 0; not a number where the score is not
        finite. Shuffled labels whose score is not a number count as as good.
    """
    rng = np.random.default_rng(seed)
    reached = score(labels, answers) - 1e-9
    if not np.isfinite(reached):
        return float("nan")
    if groups is None or len(set(groups)) == len(labels):
        shuffled = rng.permuted(np.tile(labels, (permutations, 1)), axis=1)
    else:
        shuffled = _shuffled_between(groups, labels, permutations, rng)
    hits = permutations - int((score(shuffled, answers) < reached).sum())
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
