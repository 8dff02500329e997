"""What the results of studies share whose runs keep an answer for each tested picture.

One more row stands beside the others: who answers the same of all pictures.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from structnets.metrics.grouped import Regrouped
from structnets.reporting.picture_results import Measured, PictureResults, measured, within


class AnsweredResults(PictureResults):
    """What was measured of a score or of labels; attributes as `PictureResults` has them.

    Attributes
    ----------
    kept : str
        The answers have this name in ``result.json``.
    beside : str
        Title of the row that answers the same of all.
    ends : mapping
        Of each metric, what it is between; the first is the one that rows are compared by.
    higher : bool
        Whether rows with more of that are better.
    """

    kept: ClassVar[str]
    beside: ClassVar[str]
    ends: ClassVar[Mapping[str, tuple[float, float]]]
    higher: ClassVar[bool]

    @cached_property
    def truth(self) -> np.ndarray:
        """What is true of the tested pictures, (N,) or (N, labels)."""
        raise NotImplementedError

    def same_of_all(self, spec: Any) -> Any:
        """Return what the row beside answers of every picture, of a run's training pictures."""
        raise NotImplementedError

    def scores_of(self, answers: np.ndarray) -> dict[str, float]:
        """Return the metrics of one training's answers."""
        raise NotImplementedError

    @cached_property
    def all_rows(self) -> list[str]:
        """Titles of the rows, the one beside last."""
        return [*self.rows, self.beside]

    def answers(self, row: str, size: int) -> dict[int, np.ndarray]:
        """Return what a row answers of the tested pictures, by seed.

        Raises
        ------
        ValueError
            If a run kept another number of them.
        """
        if row == self.beside:
            seeds = {run.seed: run.spec for run in self.planned.runs if run.size == size}
            same = {seed: self.same_of_all(spec) for seed, spec in seeds.items()}
            return {seed: np.broadcast_to(of, self.truth.shape) for seed, of in same.items()}
        found = {
            seed: np.array(result[self.kept]) for seed, result in self.runs_of(row, size).items()
        }
        for said in found.values():
            if said.shape != self.truth.shape:
                raise ValueError(
                    f"a run of {row} has {self.kept} of {len(said)} pictures for "
                    f"{len(self.truth)} tested ones: remove the results of the study and call it "
                    "again"
                )
        return found

    def mean_answers(self, row: str, size: int) -> np.ndarray:
        """Return the mean over seeds of what a row answers."""
        return np.mean(list(self.answers(row, size).values()), axis=0)

    @cached_property
    def _scores(self) -> dict[tuple[str, int], dict[int, dict[str, float]]]:
        """The metrics of each cell, by seed."""
        return {
            (row, size): {
                seed: self.scores_of(said) for seed, said in sorted(self.answers(row, size).items())
            }
            for row in self.all_rows
            for size in self.sizes
        }

    def measures(self, row: str, size: int) -> dict[str, Measured]:
        """Return the metrics of a cell that are defined in every seed; the first always is."""
        each = list(self._scores[row, size].values())
        return {
            metric: within(measured([one[metric] for one in each]), *ends)
            for metric, ends in self.ends.items()
            if all(metric in one for one in each)
        }

    def score(self, row: str, size: int, metric: str) -> Measured | None:
        """Return a metric of a cell; None where it is not defined in every seed."""
        return self.measures(row, size).get(metric)

    def main(self, row: str, size: int) -> Measured:
        """Return the metric of a cell that rows are compared by."""
        return self.measures(row, size)[next(iter(self.ends))]

    def difference(self, row: str, other: str, size: int) -> Measured:
        """Return how much better a row is than another in that metric, paired by seed and group."""
        one, two, metric = self._scores[row, size], self._scores[other, size], next(iter(self.ends))
        gains = [one[seed][metric] - two[seed][metric] for seed in sorted(one.keys() & two.keys())]
        return self.as_groups_allow(
            measured(gains if self.higher else [-gain for gain in gains]),
            lambda: self.gain_over_groups(row, other, size),
        )

    def gain_over_groups(self, row: str, other: str, size: int) -> Regrouped:
        """Return how much better a row is than another, over the tested groups."""
        one, two = self.over_groups(row, size), self.over_groups(other, size)
        return one - two if self.higher else two - one

    def cells(self) -> list[dict[str, Any]]:
        """List every cell as plain JSON, that of the row beside last of each size."""
        listed = []
        for size in self.sizes:
            for row in self.all_rows:
                found, main = self.measures(row, size), self.main(row, size)
                means = {key: one.mean for key, one in found.items()}
                listed.append(
                    {
                        "row": row,
                        "train_size": size,
                        **{metric: means.get(metric) for metric in self.ends},
                        "low": main.low,
                        "high": main.high,
                        "seeds": main.n,
                        "tested": self.tested,
                        **self.of_groups(row, size),
                        "run_ids": [] if row == self.beside else self.run_ids(row, size),
                    }
                )
        return listed
