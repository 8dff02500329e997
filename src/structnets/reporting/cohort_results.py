"""The numbers of a study of a cohort: predictions of held-out people, and what they say."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from structnets.forms.cohort.stored import load_cohort
from structnets.reporting.cohort_scores import Answers, RowScore, score_answers
from structnets.reporting.held_out_results import HeldOutResults

MAJORITY = "always the most frequent class"


class CohortResults(HeldOutResults[RowScore]):
    """What was measured of classes; parameters as `HeldOutResults` has them."""

    baseline = MAJORITY

    def _open(self, prepared: Path) -> np.ndarray:
        _, self.labels, folds = load_cohort(prepared)
        self.classes: tuple[str, ...] = tuple(self.manifest["classes"])
        return folds

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

    def _score_rows(self) -> dict[str, RowScore]:
        most = self.of_training_parts(lambda part: np.bincount(self.labels[part]).argmax())
        said = {**self.answers, MAJORITY: Answers(most.astype(np.int64))}
        return {
            row: score_answers(answers, self.labels, self.folds, self.people, self.classes)
            for row, answers in said.items()
        }

    def traits(self) -> dict[str, dict[str, str]]:
        """Summarise each covariate by class: mean and deviation of numbers, else counts."""
        return {
            column: {name: self.summary(column, name) for name in self.classes}
            for column in self.planned.request.traits
        }
