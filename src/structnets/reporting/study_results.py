"""The numbers of a study of classes: accuracies, differences of rows, confusion, mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from structnets.data.prepared.shards import ShardedSplit
from structnets.metrics.grouped import Regrouped, mean_over_groups
from structnets.metrics.resampling import all_or_none_interval
from structnets.reporting.intervals import wilson
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
        return 100 * self.manifest["counts"]["test"][self._most_frequent] / self.tested

    @property
    def _most_frequent(self) -> str:
        train = self.manifest["counts"]["train"]
        return max(train, key=train.__getitem__)

    @cached_property
    def truth(self) -> np.ndarray:
        """Classes of the tested pictures, (N,)."""
        return ShardedSplit(self.prepared, "test").labels

    def score(self, row: str, size: int, metric: str = "accuracy") -> Measured:
        """Return a metric of a cell, in percent."""
        found = self.runs_of(row, size)
        return within(measured([found[seed]["metrics"][metric] for seed in sorted(found)]), 0, 100)

    def difference(self, row: str, other: str, size: int) -> Measured:
        """Return how much more a row gets right than another, paired by seed and group."""
        one, two = self.runs_of(row, size), self.runs_of(other, size)
        pairs = sorted(one.keys() & two.keys())
        metric = "accuracy"
        gains = [one[s]["metrics"][metric] - two[s]["metrics"][metric] for s in pairs]
        return self.as_groups_allow(
            measured(gains), lambda: self.over_groups(row, size) - self.over_groups(other, size)
        )

    def score_over_groups(self, row: str, size: int) -> Regrouped:
        """Return the mean accuracy of a cell, in percent, over the tested groups."""
        return mean_over_groups(100 * self._right(row, size), self.groups)

    def _right(self, row: str, size: int) -> np.ndarray:
        """In which part of the seeds each tested picture is answered rightly, (N,)."""
        found = self.runs_of(row, size).values()
        given = [np.argmax(result["probabilities"], axis=1) for result in found]
        return np.mean([said == self.truth for said in given], axis=0)

    def interval_over_groups(self, row: str, size: int) -> tuple[float, float] | None:
        """Return the interval over groups as `interval` does; None where there are none."""
        return self.interval(row, size) if self.grouped else None

    def interval(self, row: str, size: int) -> tuple[float, float] | None:
        """Return the 95 % interval of a cell's accuracy over other pictures like the tested ones.

        Wilson's, or where pictures belong together what is wider over their groups; None if
        these are too few.
        """
        if not self.grouped:
            return wilson(self.score(row, size).mean / 100 * self.tested, self.tested)
        found = self.over_groups(row, size)
        over = found.interval()
        if over is None:
            return None
        ends = [over, wilson(found.whole / 100 * self.tested, self.tested)]
        right = self._right(row, size)
        whole = np.zeros(len(right), int)
        ends += filter(None, [all_or_none_interval(whole, right, self.groups, balanced=False)])
        return max(0.0, min(low for low, _ in ends)), min(100.0, max(high for _, high in ends))

    def above_majority(self, row: str, size: int) -> bool:
        """Whether a row is better than the most frequent answer; by seeds, pictures and groups."""
        score, ends = self.score(row, size), self.interval(row, size)
        if ends is None:
            return False
        above = min(ends[0], score.mean if score.low is None else score.low) > self.majority
        if not self.grouped:
            return above
        common = 100.0 * (self.truth == self.classes.index(self._most_frequent))
        gain = self.over_groups(row, size) - mean_over_groups(common, self.groups)
        return above and (gain.interval() or (0.0, 0.0))[0] > 0

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
                        **self.of_groups(row, size),
                        "run_ids": self.run_ids(row, size),
                    }
                )
        return listed
