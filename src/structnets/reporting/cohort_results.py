"""The numbers of a study of a cohort: predictions of held-out people, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from structnets.files import read_json
from structnets.forms.cohort.covariate_columns import MISSING
from structnets.forms.cohort.stored import load_cohort
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.cohort_scores import Answers, RowScore, score_answers
from structnets.reporting.study_runs import results_of

MAJORITY = "always the most frequent class"


class CohortResults:
    """What was measured.

    Parameters
    ----------
    planned : CohortPlan
        The study.
    manifest : mapping
        Of the prepared cohort.
    prepared : Path
        Its folder.
    results : mapping
        Content of ``result.json`` by run id.
    """

    def __init__(
        self,
        planned: CohortPlan,
        manifest: Mapping[str, Any],
        prepared: Path,
        results: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.planned, self.manifest, self.results = planned, manifest, results
        self.subjects: list[dict[str, Any]] = read_json(prepared / "subjects.json")
        _, self.labels, self.folds = load_cohort(prepared)
        self.classes: tuple[str, ...] = tuple(manifest["classes"])

    @property
    def rows(self) -> list[str]:
        """Titles of the rows, nets first."""
        return list(dict.fromkeys(run.row for run in self.planned.runs))

    @property
    def repeats(self) -> int:
        """How many times the folds were dealt."""
        return self.planned.study.repeats

    @cached_property
    def answers(self) -> dict[str, Answers]:
        """What each row says of every scan, by a model that had not seen its person."""
        two = len(self.classes) == 2
        shape = (self.repeats, len(self.labels), *(() if two else (len(self.classes),)))
        found = {row: np.full(shape, np.nan) for row in self.rows}
        for run in self.planned.runs:
            repeat, fold = divmod(run.seed, self.planned.parts)
            held = np.flatnonzero(self.folds[repeat] == fold)
            said = self.results[run.run_id].get("log_odds" if two else "probabilities")
            if said is None:
                raise ValueError(
                    f"run {run.run_id} was made by an earlier version, which kept no answers of "
                    "single scans: remove its folder and call the study again"
                )
            found[run.row][repeat, held] = said
        make = Answers.of_log_odds if two else Answers.of_probabilities
        return {row: make(values) for row, values in found.items()}

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
            for repeat, chances in enumerate(self.probabilities(row)):
                for number, entry in enumerate(self.subjects):
                    line = {key: entry[key] for key in ("subject", "session", "label")}
                    line |= {"row": row, "repeat": repeat, "fold": int(self.folds[repeat, number])}
                    each = zip(self.classes, map(float, chances[number]), strict=True)
                    if len(self.classes) == 2:
                        yield {**line, "probability": float(chances[number, 1])}
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
        people = [entry["subject"] for entry in self.subjects]
        return score_answers(said, self.labels, self.folds, people, self.classes)

    def traits(self) -> dict[str, dict[str, str]]:
        """Summarise each covariate by class: mean and deviation of numbers, else counts."""
        found: dict[str, dict[str, str]] = {}
        people = {entry["subject"]: entry for entry in self.subjects}.values()
        for column in self.planned.request.traits:
            found[column] = {
                name: _summary([e["traits"][column] for e in people if e["label"] == name])
                for name in self.classes
            }
        return found


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


def _summary(values: Sequence[str]) -> str:
    given = [value for value in values if value not in MISSING]
    missing = f", {len(values) - len(given)} missing" if len(given) < len(values) else ""
    try:
        numbers = np.array([float(value) for value in given])
    except ValueError:
        counts = {value: given.count(value) for value in sorted(set(given))}
        return ", ".join(f"{count} {value}" for value, count in counts.items()) + missing
    if not numbers.size:
        return "all missing"
    spread = f" ± {numbers.std(ddof=1):.1f}" if numbers.size > 1 else ""
    return f"{numbers.mean():.1f}{spread} ({numbers.min():g} to {numbers.max():g}){missing}"
