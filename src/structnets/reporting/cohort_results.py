"""The numbers of a study of a cohort: predictions of held-out people, and what they say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from structnets.files import read_json
from structnets.forms.cohort.stored import load_cohort
from structnets.metrics.binary import binary_scores
from structnets.metrics.held_out import (
    accuracy,
    all_or_none_interval,
    auc,
    balanced_accuracy,
    bootstrap_interval,
    brier,
    permutation_p,
)
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.study_runs import results_of

MAJORITY = "always the more frequent class"


@dataclass(frozen=True)
class Prediction:
    """What a model that had not seen a scan said of it.

    Attributes
    ----------
    subject, session, label : str
        Whose scan, and the class it has.
    row : str
        The row of the study.
    repeat, fold : int
        Which part was held out.
    probability : float
        Of the second class.
    """

    subject: str
    session: str
    label: str
    row: str
    repeat: int
    fold: int
    probability: float


@dataclass(frozen=True)
class RowScore:
    """Scores of a row over all held-out scans of a repeat at once, the mean over repeats.

    Attributes
    ----------
    scores : mapping
        ``accuracy``, ``balanced_accuracy``, ``tpr``, ``spc`` and ``auc`` in percent, ``brier``.
    intervals : mapping
        95 % bootstrap intervals over people, of the first repeat.
    p : mapping
        Of permutations of the predictions, of the first repeat.
    by_fold : list of float
        Accuracy of each held-out part.
    """

    scores: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    p: Mapping[str, float]
    by_fold: list[float]


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
        self.classes: tuple[str, str] = tuple(manifest["classes"])

    @property
    def rows(self) -> list[str]:
        """Titles of the rows, nets first."""
        return list(dict.fromkeys(run.row for run in self.planned.runs))

    @property
    def repeats(self) -> int:
        """How many times the folds were dealt."""
        return self.planned.study.repeats

    @cached_property
    def log_odds(self) -> dict[str, np.ndarray]:
        """Log-odds of the second class, (repeats, N), by row."""
        found = {row: np.full((self.repeats, len(self.labels)), np.nan) for row in self.rows}
        for run in self.planned.runs:
            repeat, fold = divmod(run.seed, self.planned.parts)
            held = np.flatnonzero(self.folds[repeat] == fold)
            found[run.row][repeat, held] = self.results[run.run_id]["log_odds"]
        return found

    def probabilities(self, row: str) -> np.ndarray:
        """Return the probability of the second class, (repeats, N)."""
        return 1 / (1 + np.exp(-np.clip(self.log_odds[row], -50, 50)))

    def predictions(self) -> list[Prediction]:
        """List what was said of every scan, row by row."""
        found = []
        for row in self.rows:
            probabilities = self.probabilities(row)
            for repeat in range(self.repeats):
                for number, entry in enumerate(self.subjects):
                    found.append(
                        Prediction(
                            *(entry["subject"], entry["session"], entry["label"], row, repeat),
                            int(self.folds[repeat, number]),
                            float(probabilities[repeat, number]),
                        )
                    )
        return found

    def score(self, row: str) -> RowScore:
        """Score a row."""
        return self._scored[row]

    @cached_property
    def _scored(self) -> dict[str, RowScore]:
        return {row: self._score(self.log_odds[row]) for row in self.rows}

    def majority(self) -> RowScore:
        """Score who always says the class that is more frequent in training."""
        answers = np.empty((self.repeats, len(self.labels)))
        for repeat, folds in enumerate(self.folds[: self.repeats]):
            for fold in np.unique(folds):
                positive = self.labels[folds != fold].mean()
                answers[repeat, folds == fold] = 1.0 if positive > 0.5 else -1.0
        return self._score(answers)

    def _score(self, log_odds: np.ndarray) -> RowScore:
        people = [entry["subject"] for entry in self.subjects]
        each = []
        for odds in log_odds:
            found = binary_scores(self.labels, odds)
            probabilities = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
            each.append({**found, "brier": brier(self.labels, probabilities)})
        means = {key: float(np.mean([one[key] for one in each])) for key in each[0]}
        answers = (log_odds[0] > 0).astype(np.int64)
        of = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
        intervals = {
            name: bootstrap_interval(score, self.labels, answers, people)
            for name, score in of.items()
        }
        for name in of:
            right, balanced = answers == self.labels, name == "balanced_accuracy"
            if wider := all_or_none_interval(self.labels, right, people, balanced=balanced):
                pairs = zip(intervals[name], wider, strict=True)
                (low, other_low), (high, other_high) = pairs
                intervals[name] = min(low, other_low), max(high, other_high)
        of_area = bootstrap_interval(auc, self.labels, log_odds[0], people)
        if of_area[0] < of_area[1]:  # without any pair in the wrong order it knows no chance
            intervals["auc"] = of_area
        chance = {name: permutation_p(score, self.labels, answers) for name, score in of.items()}
        by_fold = [
            accuracy(self.labels[held], (odds[held] > 0).astype(np.int64))
            for odds, folds in zip(log_odds, self.folds, strict=False)
            for fold in np.unique(folds)
            if (held := folds == fold).any()
        ]
        return RowScore(means, intervals, chance, by_fold)

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
    given = [value for value in values if value not in ("", "n/a")]
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
