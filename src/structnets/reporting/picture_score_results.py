"""The numbers of a study of pictures with scores: errors with intervals, the most wrong ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from structnets.forms.picture_scores.stored import load_scored
from structnets.forms.picture_scores.units import units
from structnets.metrics.grouped import Regrouped, mean_over_groups
from structnets.metrics.regression import scores_of_estimates
from structnets.metrics.resampling import gain_interval
from structnets.reporting.answered_results import AnsweredResults
from structnets.specs.study import MEAN


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


class PictureScoreResults(AnsweredResults):
    """What was measured of a score; attributes as `PictureResults` has them."""

    kept, beside, higher = "estimates", MEAN, False
    main_ends = (0, np.inf)
    ends: ClassVar[Mapping[str, tuple[float, float]]] = {
        "mae": (0, np.inf),
        "rmse": (0, np.inf),
        "r2": (-np.inf, 1),
        "r": (-1, 1),
    }

    @cached_property
    def truth(self) -> np.ndarray:
        """Scores of the tested pictures, (N,)."""
        return load_scored(self.prepared, "test")[1]

    def same_of_all(self, spec: Any) -> float:
        """Return the mean score of the pictures that a run is trained on."""
        return units(spec, self.manifest)[0]

    def scores_of(self, answers: np.ndarray) -> dict[str, float]:
        """Return the metrics of estimates, (N,)."""
        return scores_of_estimates(self.truth, answers)

    def gain(self, row: str, size: int) -> tuple[float, float] | None:
        """Return the 95 % interval of how much less a row is off than who says the mean.

        Tested pictures are drawn, or their groups; errors are means over the seeds. None of too
        few groups.
        """
        if self.grouped:
            return self.gain_over_groups(row, MEAN, size).interval()
        means, errors = (self._errors(name, size) for name in (MEAN, row))
        return gain_interval(means, errors, range(len(errors)))

    def score_over_groups(self, row: str, size: int) -> Regrouped:
        """Return the mean absolute error of a cell over the tested groups."""
        return mean_over_groups(self._errors(row, size), self.groups)

    def _errors(self, row: str, size: int) -> np.ndarray:
        """How far off each tested picture is, the mean over the seeds, (N,)."""
        return np.mean([np.abs(said - self.truth) for said in self.answers(row, size).values()], 0)

    def misses(self, row: str, size: int, most: int) -> list[Miss]:
        """List the pictures whose mean estimate is furthest off."""
        said = self.mean_answers(row, size)
        worst = np.argsort(-np.abs(said - self.truth), kind="stable")[:most]
        return [Miss(int(n), float(self.truth[n]), float(said[n])) for n in worst]

    def predictions(self) -> list[dict[str, Any]]:
        """List what was estimated of every tested picture, from most training pictures."""
        size = self.sizes[-1]
        return [
            {"picture": name, "score": float(score), "row": row, "seed": seed, "estimate": estimate}
            for row in self.rows
            for seed, said in sorted(self.answers(row, size).items())
            for name, score, estimate in zip(
                self.tested_names, self.truth, said.tolist(), strict=True
            )
        ]
