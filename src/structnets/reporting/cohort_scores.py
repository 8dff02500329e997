"""Scores of a row of a cohort's study, from what it says of every held-out scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from structnets.metrics.binary import binary_scores
from structnets.metrics.held_out import (
    accuracy,
    auc,
    balanced_accuracy,
    brier,
    brier_of_classes,
    mean_auc,
)
from structnets.metrics.resampling import (
    all_or_none_interval,
    bootstrap_interval,
    mean_over_repeats,
    permutation_p,
)


@dataclass(frozen=True)
class RowScore:
    """Scores of a row over all held-out scans of a repeat at once, the mean over repeats.

    Attributes
    ----------
    scores : mapping
        ``accuracy`` and ``balanced_accuracy`` in percent. With two classes ``tpr``, ``spc``,
        ``auc`` in percent and ``brier``; with more the part of each class that is found
        (``found NAME``, percent), ``auc`` (the mean of each class against all others) and ``brier``
        (summed over the classes). A row without probabilities has neither ``auc`` nor ``brier``.
    intervals : mapping
        95 % bootstrap intervals of the means: people are drawn, once for all repeats.
    p : mapping
        Of the means, by permutations of the predictions between people, once for all repeats.
    by_fold : list of float
        Accuracy of each held-out part.
    confusion : list of list of int
        Scans by true (downwards) and answered class, all repeats together.
    """

    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    p: Mapping[str, float]
    by_fold: list[float]
    confusion: list[list[int]]


@dataclass(frozen=True)
class Answers:
    """What a row says of every held-out scan.

    Attributes
    ----------
    decided : numpy.ndarray
        (repeats, N) int64, classes.
    chances : numpy.ndarray or None
        (repeats, N, classes), probabilities; None of a row that has none.
    order : numpy.ndarray or None
        (repeats, N, classes): the higher, the more a scan is of the class. Of two classes, log-odds
        of either.
    """

    decided: np.ndarray
    chances: np.ndarray | None = None
    order: np.ndarray | None = None

    @classmethod
    def of_log_odds(cls, log_odds: np.ndarray) -> Answers:
        """Return the answers of two classes from the log-odds (repeats, N) of the second."""
        second = 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
        return cls(
            (log_odds > 0).astype(np.int64),
            np.stack([1 - second, second], -1),
            np.stack([-log_odds, log_odds], -1),
        )

    @classmethod
    def of_probabilities(cls, chances: np.ndarray) -> Answers:
        """Return the answers of several classes from their probabilities (repeats, N, classes)."""
        return cls(chances.argmax(-1), chances, chances)


def score_answers(
    said: Answers,
    labels: np.ndarray,
    folds: np.ndarray,
    people: Sequence[str],
    classes: Sequence[str],
) -> RowScore:
    """Score what a row says.

    Parameters
    ----------
    said : Answers
        Of every scan.
    labels : numpy.ndarray
        (N,) int64.
    folds : numpy.ndarray
        (repeats or more, N).
    people : sequence of str
        Whose each scan is.
    classes : sequence of str
        Names; of two, the negative first.
    """
    each = [_scores(said, repeat, labels, classes) for repeat in range(len(said.decided))]
    means = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
    rows, right = np.arange(len(labels)), (said.decided == labels).mean(0)
    of = {
        "accuracy": mean_over_repeats(accuracy, said.decided),
        "balanced_accuracy": mean_over_repeats(balanced_accuracy, said.decided),
    }
    intervals = {
        name: bootstrap_interval(score, labels, rows, people) for name, score in of.items()
    }
    for name in of:
        balanced = name == "balanced_accuracy"
        if wider := all_or_none_interval(labels, right, people, balanced=balanced):
            (low, other_low), (high, other_high) = zip(intervals[name], wider, strict=True)
            intervals[name] = min(low, other_low), max(high, other_high)
    if said.order is not None:
        two = len(classes) == 2
        area, order = (auc, said.order[..., 1]) if two else (mean_auc, said.order)
        of_area = bootstrap_interval(mean_over_repeats(area, order), labels, rows, people)
        if of_area[0] < of_area[1]:  # without any pair in the wrong order it knows no chance
            intervals["auc"] = of_area
    chance = {name: permutation_p(score, labels, rows, people) for name, score in of.items()}
    by_fold = [
        accuracy(labels[held], decided[held])
        for decided, dealt in zip(said.decided, folds, strict=False)
        for fold in np.unique(dealt)
        if (held := dealt == fold).any()
    ]
    counted = np.zeros((len(classes), len(classes)), np.int64)
    for decided in said.decided:
        np.add.at(counted, (labels, decided), 1)
    return RowScore(means, intervals, chance, by_fold, counted.tolist())


def _scores(
    said: Answers, repeat: int, labels: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    decided = said.decided[repeat]
    if len(classes) == 2:
        odds = decided - 0.5 if said.order is None else said.order[repeat, :, 1]
        found = binary_scores(labels, odds)
    else:
        rates = [accuracy(labels[labels == n], decided[labels == n]) for n in range(len(classes))]
        found = {
            "accuracy": float(accuracy(labels, decided)),
            "balanced_accuracy": float(balanced_accuracy(labels, decided)),
            **{f"found {name}": float(rate) for name, rate in zip(classes, rates, strict=True)},
        }
        if said.order is not None:
            found["auc"] = float(mean_auc(labels, said.order[repeat]))
    if said.chances is None:
        found.pop("auc", None)
        return found
    chances = said.chances[repeat]
    if len(classes) == 2:
        return {**found, "brier": brier(labels, chances[:, 1])}
    return {**found, "brier": brier_of_classes(labels, chances)}
