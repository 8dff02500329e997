"""The numbers of a study of pictures with scores: errors with intervals, the most wrong ones."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from structnets.forms.picture_scores.stored import load_scored
from structnets.forms.picture_scores.units import units
from structnets.metrics.held_out import gain_interval
from structnets.metrics.regression import mae, scores_of_estimates
from structnets.reporting.picture_results import Measured, PictureResults, measured, within
from structnets.specs.study import MEAN

METRICS = ("mae", "rmse", "r2", "r")
_ENDS = {
    "mae": (0, np.inf),
    "rmse": (0, np.inf),
    "r2": (-np.inf, 1),
    "r": (-1, 1),
}


@dataclass(frozen=True)
class Miss:
    """A tested picture that a row estimates wrongly.

    Attributes
    ----------
    position : int
        In the test split.
    score, estimate : float
        In the units of the score; the mean over the seeds.
    """

    position: int
    score: float
    estimate: float


class PictureScoreResults(PictureResults):
    """What was measured of a score; attributes as `PictureResults` has them."""

    @cached_property
    def scores(self) -> np.ndarray:
        """Scores of the tested pictures, (N,)."""
        return load_scored(self.prepared, "test")[1]

    @cached_property
    def all_rows(self) -> list[str]:
        """Titles of the rows, the mean last."""
        return [*self.rows, MEAN]

    def estimates(self, row: str, size: int) -> dict[int, np.ndarray]:
        """Return what a row estimates of the tested pictures, (N,), by seed.

        Raises
        ------
        ValueError
            If a run kept another number of them.
        """
        if row == MEAN:
            seeds = {run.seed: run.spec for run in self.planned.runs if run.size == size}
            return {
                seed: np.full(len(self.scores), units(spec, self.manifest)[0])
                for seed, spec in seeds.items()
            }
        found = {
            seed: np.array(result["estimates"]) for seed, result in self.runs_of(row, size).items()
        }
        for said in found.values():
            if said.shape != self.scores.shape:
                raise ValueError(
                    f"a run of {row} has {said.size} estimates for {len(self.scores)} tested "
                    "pictures: remove the results of the study and call it again"
                )
        return found

    def mean_estimates(self, row: str, size: int) -> np.ndarray:
        """Return the mean over seeds of what a row estimates, (N,)."""
        return np.mean(list(self.estimates(row, size).values()), axis=0)

    def measures(self, row: str, size: int) -> dict[str, Measured]:
        """Return the metrics of a cell that are defined in every seed; the mean error always is."""
        said = self.estimates(row, size)
        each = [scores_of_estimates(self.scores, said[seed]) for seed in sorted(said)]
        return {
            metric: within(measured([one[metric] for one in each]), *_ENDS[metric])
            for metric in METRICS
            if all(metric in one for one in each)
        }

    def score(self, row: str, size: int, metric: str = "mae") -> Measured | None:
        """Return a metric of a cell; None where it is not defined in every seed."""
        return self.measures(row, size).get(metric)

    def error(self, row: str, size: int) -> Measured:
        """Return the mean absolute error of a cell."""
        return self.measures(row, size)["mae"]

    def difference(self, row: str, other: str, size: int) -> Measured:
        """Return how much less a row is off than another, paired by seed, in units of the score."""
        one, two = self.estimates(row, size), self.estimates(other, size)
        pairs = sorted(one.keys() & two.keys())
        return measured([float(mae(self.scores, two[s]) - mae(self.scores, one[s])) for s in pairs])

    def gain(self, row: str, size: int) -> tuple[float, float]:
        """Return the 95 % interval of how much less a row is off than who says the mean.

        Tested pictures are drawn; errors are means over the seeds.
        """
        means, errors = (
            np.mean([np.abs(said - self.scores) for said in self.estimates(name, size).values()], 0)
            for name in (MEAN, row)
        )
        return gain_interval(means, errors, range(len(errors)))

    def misses(self, row: str, size: int, most: int) -> list[Miss]:
        """List the pictures whose mean estimate is furthest off."""
        said = self.mean_estimates(row, size)
        worst = np.argsort(-np.abs(said - self.scores), kind="stable")[:most]
        return [Miss(int(n), float(self.scores[n]), float(said[n])) for n in worst]

    def cells(self) -> list[dict[str, Any]]:
        """List every cell as plain JSON, those of the mean last of each size."""
        listed = []
        for size in self.sizes:
            for row in self.all_rows:
                found = self.measures(row, size)
                error, means = found["mae"], {key: one.mean for key, one in found.items()}
                listed.append(
                    {
                        "row": row,
                        "train_size": size,
                        **{metric: means.get(metric) for metric in METRICS},
                        "low": error.low,
                        "high": error.high,
                        "seeds": error.n,
                        "tested": self.tested,
                        "run_ids": [] if row == MEAN else self.run_ids(row, size),
                    }
                )
        return listed

    def predictions(self) -> list[dict[str, Any]]:
        """List what was estimated of every tested picture, from most training pictures."""
        names = (self.prepared / "test_names.txt").read_text().splitlines()
        size = self.sizes[-1]
        return [
            {"picture": name, "score": float(score), "row": row, "seed": seed, "estimate": estimate}
            for row in self.rows
            for seed, said in sorted(self.estimates(row, size).items())
            for name, score, estimate in zip(names, self.scores, said.tolist(), strict=True)
        ]
