"""The numbers of a study of a cohort: predictions of held-out people, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from structnets.forms.cohort.stored import load_cohort
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.cohort_scores import Answers, RowScore, score_answers
from structnets.reporting.held_out_results import HeldOutResults
from structnets.reporting.study_runs import results_of

MAJORITY = "always the most frequent class"


class CohortResults(HeldOutResults):
    """What was measured of classes; parameters as `HeldOutResults`, which reads the folds."""

    def __init__(
        self,
        planned: CohortPlan,
        manifest: Mapping[str, Any],
        prepared: Path,
        results: Mapping[str, Mapping[str, Any]],
    ) -> None:
        _, self.labels, folds = load_cohort(prepared)
        super().__init__(planned, manifest, prepared, results, folds)
        self.classes: tuple[str, ...] = tuple(manifest["classes"])

    @cached_property
    def answers(self) -> dict[str, Answers]:
        """What each row says of every scan, by a model that had not seen its person."""
        if len(self.classes) == 2:
            found = self.collect("log_odds")
            return {row: Answers.of_log_odds(values) for row, values in found.items()}
        found = self.collect("probabilities", len(self.classes))
        return {row: Answers.of_probabilities(values) for row, values in found.items()}

    def probabilities(self, row: str) -> np.ndarray:
        """Return the probabilities of the classes, (repeats, N, classes)."""
        chances = self.answers[row].chances
        assert chances is not None
        return chances

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield what was said of every scan, row by row, as the lines of a table.

        Of two classes they tell the probability of the second, of more the answer and all.
        """
        for row in self.rows:
            said = self.answers[row]
            chances = self.probabilities(row)
            for repeat, number, line in self.lines(row):
                each = list(zip(self.classes, map(float, chances[repeat, number]), strict=True))
                if len(self.classes) == 2:
                    yield {**line, "probability": each[1][1]}
                else:
                    answer = self.classes[said.decided[repeat, number]]
                    yield {**line, "answer": answer, **{f"p({n})": p for n, p in each}}

    def score(self, row: str) -> RowScore:
        """Score a row."""
        return self._scored[row]

    @cached_property
    def _scored(self) -> dict[str, RowScore]:
        return {row: self._score(said) for row, said in self.answers.items()}

    def majority(self) -> RowScore:
        """Score who always says the class that is most frequent in training."""
        decided = np.empty((self.repeats, len(self.labels)), np.int64)
        for repeat, folds in enumerate(self.folds[: self.repeats]):
            for fold in np.unique(folds):
                decided[repeat, folds == fold] = np.bincount(self.labels[folds != fold]).argmax()
        return self._score(Answers(decided))

    def _score(self, said: Answers) -> RowScore:
        return score_answers(said, self.labels, self.folds, self.people, self.classes)

    def traits(self) -> dict[str, dict[str, str]]:
        """Summarise each covariate by class: mean and deviation of numbers, else counts."""
        return {
            column: {name: self.summary(column, name) for name in self.classes}
            for column in self.planned.request.traits
        }


def collect_cohort(
    planned: CohortPlan, manifest: Mapping[str, Any], prepared: Path, results: Path
) -> CohortResults:
    """Read the results of a study's runs.

    Raises
    ------
    FileNotFoundError
        If a run is not there.
    ValueError
        If a result is of another spec, or was measured on other data.
    """
    found = results_of(planned.runs, results, manifest["digest"], "data")
    return CohortResults(planned, manifest, prepared, found)
