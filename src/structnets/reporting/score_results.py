"""The numbers of a study of a score: estimates for held-out people, and how far off they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from structnets.foreign.missing import is_missing
from structnets.forms.cohort.covariate_columns import numbers_of
from structnets.forms.scores.stored import load_scores
from structnets.metrics.regression import mae, pearson, r2, rmse, scores_of_estimates
from structnets.metrics.resampling import (
    bootstrap_interval,
    gain_interval,
    mean_over_repeats,
    permutation_p,
)
from structnets.reporting.held_out_results import HeldOutResults, summary
from structnets.specs.study import MEAN


@dataclass(frozen=True)
class EstimateScore:
    """Scores of a row over all held-out scans of a repeat at once, the mean over repeats.

    Attributes
    ----------
    scores : mapping
        ``mae`` and ``rmse`` in the units of the score, ``r2`` and ``r`` where they are defined.
    intervals : mapping
        95 % bootstrap intervals of the means: people are drawn, once for all repeats.
    p : mapping
        Of ``mae`` and ``r``, where they are defined: permutations of the estimates between people,
        once for all repeats.
    by_fold : list of float
        Mean absolute error of each held-out part.
    """

    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    p: Mapping[str, float]
    by_fold: list[float]


class ScoreResults(HeldOutResults[EstimateScore]):
    """What was measured of a score; parameters as `HeldOutResults` has them."""

    baseline = MEAN

    def _open(self, prepared: Path) -> np.ndarray:
        _, self.scores, folds = load_scores(prepared)
        return folds

    @cached_property
    def estimates(self) -> dict[str, np.ndarray]:
        """What each row estimates of every scan, (repeats, N), in the units of the score."""
        return self.collect("estimates")

    @cached_property
    def means(self) -> np.ndarray:
        """For every scan the mean of the scores that its fold's training part has, (repeats, N)."""
        return self.of_training_parts(lambda part: self.scores[part].mean())

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield what was estimated of every scan, row by row, as the lines of a table."""
        for row in self.rows:
            for repeat, number, line in self.lines(row):
                line["label"] = float(self.scores[number])
                yield {**line, "estimate": float(self.estimates[row][repeat, number])}

    def _score_rows(self) -> dict[str, EstimateScore]:
        said = {**self.estimates, MEAN: self.means}
        found = {
            row: score_estimates(each, self.scores, self.folds, self.people)
            for row, each in said.items()
        }
        # The mean has no correlation: what there is of one comes of the folds, whose means are high
        # where those held out are low.
        mean = found[MEAN]
        without = {key: value for key, value in mean.scores.items() if key != "r"}
        return {**found, MEAN: EstimateScore(without, {}, {}, mean.by_fold)}

    def gain(self, row: str) -> tuple[float, float]:
        """Return the 95 % interval of how much less a row is off than the mean is.

        People are drawn; errors are means over the repeats.
        """
        others, errors = (
            np.abs(self.scores - each).mean(0) for each in (self.means, self.estimates[row])
        )
        return gain_interval(others, errors, self.people)

    def traits(self) -> dict[str, str]:
        """Summarise each covariate, and how it goes with the score."""
        return {c: self.summary(c) + self._with_score(c) for c in self.planned.request.traits}

    def score_summary(self) -> str:
        """Summarise the score of people; of somebody with several scans, of the last."""
        of = {entry["subject"]: entry["label"] for entry in self.subjects}
        return summary(list(of.values()))

    def _with_score(self, column: str) -> str:
        values = [entry["traits"][column] for entry in self.subjects]
        there = np.array([not is_missing(value) for value in values])
        given = [value for value in values if not is_missing(value)]
        numbers = numbers_of(given) if given else None
        if numbers is not None:
            found = float(pearson(np.array(numbers), self.scores[there]))
            return f"; correlation with the score {found:.2f}" if np.isfinite(found) else ""
        of = {v: self.scores[[value == v for value in values]].mean() for v in sorted(set(given))}
        return "; mean score " + ", ".join(f"{n}: {m:.3g}" for n, m in of.items()) if of else ""


def score_estimates(
    estimates: np.ndarray, scores: np.ndarray, folds: np.ndarray, people: Sequence[str]
) -> EstimateScore:
    """Score what a row estimates.

    Parameters
    ----------
    estimates : numpy.ndarray
        (repeats, N), in the units of the scores.
    scores : numpy.ndarray
        (N,).
    folds : numpy.ndarray
        (repeats or more, N).
    people : sequence of str
        Whose each scan is.
    """
    each = [scores_of_estimates(scores, said) for said in estimates]
    shared = [key for key in each[0] if all(key in one for one in each)]
    means = {key: float(np.mean([one[key] for one in each])) for key in shared}
    rows, strata = np.arange(len(scores)), np.zeros(len(scores), dtype=np.int64)
    measures = {"mae": mae, "rmse": rmse, "r2": r2, "r": pearson}
    found = {
        key: bootstrap_interval(
            mean_over_repeats(measures[key], estimates), scores, rows, people, strata=strata
        )
        for key in shared
    }
    intervals = {key: ends for key, ends in found.items() if np.isfinite(ends).all()}
    true, *said = _means_of_people(np.stack([scores, *estimates]), people)
    each = np.arange(len(true))
    error, correlation = (mean_over_repeats(measures[key], said) for key in ("mae", "r"))
    asked = {"mae": lambda *of: -error(*of), "r": correlation}
    chance = {key: permutation_p(asked[key], true, each) for key in asked if key in shared}
    p = {key: value for key, value in chance.items() if np.isfinite(value)}
    by_fold = [
        float(mae(scores[held], said[held]))
        for said, dealt in zip(estimates, folds, strict=False)
        for fold in np.unique(dealt)
        if (held := dealt == fold).any()
    ]
    return EstimateScore(means, intervals, p, by_fold)


def _means_of_people(values: np.ndarray, people: Sequence[str]) -> np.ndarray:
    """Return the mean of each person's columns, (rows, people): scans of one are no two samples."""
    names, place = np.unique(np.asarray(people), return_inverse=True)
    counts = np.bincount(place)
    return np.stack([np.bincount(place, row, len(names)) / counts for row in values])
