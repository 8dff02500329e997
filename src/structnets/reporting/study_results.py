"""The numbers of a study of classes: accuracies, differences of rows, confusion, mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from structnets.reporting.picture_results import Measured, PictureResults, measured, within


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


class StudyResults(PictureResults):
    """What was measured of classes; attributes as `PictureResults` has them."""

    @property
    def classes(self) -> list[str]:
        """Class names."""
        return list(self.manifest["classes"])

    @property
    def majority(self) -> float:
        """Percent of tests that always answering the most frequent training class gets right."""
        train, test = (self.manifest["counts"][split] for split in ("train", "test"))
        return 100 * test[max(train, key=train.__getitem__)] / self.tested

    def score(self, row: str, size: int, metric: str = "accuracy") -> Measured:
        """Return a metric of a cell, in percent."""
        found = self.runs_of(row, size)
        return within(measured([found[seed]["metrics"][metric] for seed in sorted(found)]), 0, 100)

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
                        "run_ids": self.run_ids(row, size),
                    }
                )
        return listed
