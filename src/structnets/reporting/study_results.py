"""The numbers of a study: accuracies with intervals, differences of rows, confusion, mistakes."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from structnets.reporting.intervals import student_interval
from structnets.reporting.study_plan import StudyPlan
from structnets.reporting.study_runs import results_of


@dataclass(frozen=True)
class Measured:
    """A mean over seeds.

    Attributes
    ----------
    mean : float
    low, high : float or None
        Ends of the 95 % interval of the mean (Student's t over seeds); None with a single seed,
        or where all seeds gave the same, from which no spread can be told.
    n : int
        Number of seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def measured(values: Sequence[float]) -> Measured:
    """Return the mean of some values with its 95 % interval.

    Examples
    --------
    >>> measured([1.0, 2.0, 3.0])
    Measured(mean=2.0, low=-0.484..., high=4.484..., n=3)
    """
    mean, n = statistics.fmean(values), len(values)
    if len(set(values)) == 1:
        return Measured(mean, None, None, n)
    low, high = student_interval(values) or (None, None)
    return Measured(mean, low, high, n)


@dataclass(frozen=True)
class Mistake:
    """A tested picture that a row answers wrongly.

    Attributes
    ----------
    position : int
        In the test split.
    truth, answer : str
        Classes.
    probability : float
        Of the answer, mean over the seeds.
    """

    position: int
    truth: str
    answer: str
    probability: float


@dataclass(frozen=True)
class StudyResults:
    """What the runs of a study measured.

    Attributes
    ----------
    planned : StudyPlan
        The study.
    manifest : dict
        Of the prepared pictures.
    results : dict
        ``result.json`` of every run, by run id.
    """

    planned: StudyPlan
    manifest: Mapping[str, Any]
    results: Mapping[str, Mapping[str, Any]]

    @property
    def rows(self) -> list[str]:
        """Titles of the rows."""
        return [row.title for row in self.planned.study.rows]

    @property
    def sizes(self) -> list[int]:
        """Numbers of training pictures, ascending."""
        return sorted({run.size for run in self.planned.runs})

    @property
    def classes(self) -> list[str]:
        """Class names."""
        return list(self.manifest["classes"])

    @property
    def tested(self) -> int:
        """Number of pictures that are tested."""
        return sum(self.manifest["counts"]["test"].values())

    @property
    def majority(self) -> float:
        """Percent of tests that always answering the most frequent training class gets right."""
        train, test = (self.manifest["counts"][split] for split in ("train", "test"))
        return 100 * test[max(train, key=train.__getitem__)] / self.tested

    def runs_of(self, row: str, size: int) -> dict[int, Mapping[str, Any]]:
        """Return the results of a cell, by seed."""
        return {
            run.seed: self.results[run.run_id]
            for run in self.planned.runs
            if (run.row, run.size) == (row, size)
        }

    def score(self, row: str, size: int, metric: str = "accuracy") -> Measured:
        """Return a metric of a cell, in percent."""
        found = self.runs_of(row, size)
        score = measured([found[seed]["metrics"][metric] for seed in sorted(found)])
        if score.low is None or score.high is None:
            return score
        return replace(score, low=max(0.0, score.low), high=min(100.0, score.high))

    def difference(self, row: str, other: str, size: int) -> Measured:
        """Return how much more a row gets right than another, paired by seed, in points."""
        one, two = self.runs_of(row, size), self.runs_of(other, size)
        pairs = sorted(one.keys() & two.keys())
        metric = "accuracy"
        return measured([one[s]["metrics"][metric] - two[s]["metrics"][metric] for s in pairs])

    def confusion(self, row: str, size: int) -> np.ndarray:
        """Return true by answered classes, (classes, classes), summed over the seeds."""
        found = self.runs_of(row, size).values()
        return np.sum([result["confusion"] for result in found], axis=0)

    def answers(self, row: str, size: int) -> np.ndarray:
        """Return the probabilities of every tested picture, (pictures, classes), mean of seeds."""
        found = self.runs_of(row, size).values()
        return np.mean([result["probabilities"] for result in found], axis=0)

    def mistakes(self, row: str, size: int, labels: np.ndarray, most: int) -> list[Mistake]:
        """List the pictures answered wrongly, those of the surest answers first."""
        answers = self.answers(row, size)
        given = answers.argmax(1)
        wrong = np.flatnonzero(given != labels)
        surest = sorted(wrong, key=lambda place: -answers[place, given[place]])
        return [
            Mistake(
                int(place),
                self.classes[labels[place]],
                self.classes[given[place]],
                float(answers[place, given[place]]),
            )
            for place in surest[:most]
        ]

    def cells(self) -> list[dict[str, Any]]:
        """List every cell as plain JSON."""
        listed = []
        for size in self.sizes:
            for row in self.rows:
                found = {m: self.score(row, size, m) for m in ("accuracy", "balanced_accuracy")}
                runs = self.runs_of(row, size)
                listed.append(
                    {
                        "row": row,
                        "train_size": size,
                        **{key: value.mean for key, value in found.items()},
                        "low": found["accuracy"].low,
                        "high": found["accuracy"].high,
                        "seeds": found["accuracy"].n,
                        "majority": self.majority,
                        "tested": self.tested,
                        "run_ids": [runs[seed]["run_id"] for seed in sorted(runs)],
                    }
                )
        return listed


def collect_results(planned: StudyPlan, results: Path, manifest: Mapping[str, Any]) -> StudyResults:
    """Read what the runs of a study published.

    Raises
    ------
    FileNotFoundError
        If a run is not there.
    ValueError
        If a result is of another spec, or was measured on other data than the others.
    """
    found = results_of(planned.runs, results, manifest["digest"], "pictures")
    # Of all pictures that were listed, those that could not be read were not trained on.
    whole = sum(manifest["counts"]["train"].values())
    runs = [
        replace(run, size=whole) if run.spec["data"]["train_size"] is None else run
        for run in planned.runs
    ]
    return StudyResults(replace(planned, runs=runs), manifest, found)
