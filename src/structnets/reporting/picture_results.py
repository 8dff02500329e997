"""What the results of all studies of pictures share: cells of rows and sizes, over seeds."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from structnets.data.originals.picture import DARK_16_BITS
from structnets.data.prepared.manifest import load_manifest
from structnets.metrics.grouped import FEWEST_GROUPS, Regrouped
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
class PictureResults:
    """What the runs of a study of pictures measured.

    Attributes
    ----------
    planned : StudyPlan
        The study.
    manifest : dict
        Of the prepared pictures.
    prepared : Path
        Their folder.
    results : dict
        ``result.json`` of every run, by run id.
    """

    main_ends: ClassVar[tuple[float, float]] = (0, 100)
    """What that is between by which rows are compared."""

    planned: StudyPlan
    manifest: Mapping[str, Any]
    prepared: Path
    results: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of_study(cls, planned: StudyPlan, prepared: Path, results: Path) -> Self:
        """Read what the runs of a study published below `results`, of pictures in `prepared`.

        Raises
        ------
        FileNotFoundError
            If a run is not there.
        ValueError
            If a result is of another spec, or was measured on other data than the others.
        """
        manifest = load_manifest(prepared)
        found = results_of(planned.runs, results, manifest["digest"], "pictures")
        # Of all pictures that were listed, those that could not be read were not trained on.
        whole = sum(manifest["counts"]["train"].values())
        runs = [
            replace(run, size=whole) if run.spec["data"]["train_size"] is None else run
            for run in planned.runs
        ]
        return cls(replace(planned, runs=runs), manifest, prepared, found)

    @property
    def rows(self) -> list[str]:
        """Titles of the rows."""
        return list(dict.fromkeys(run.row for run in self.planned.runs))

    @property
    def sizes(self) -> list[int]:
        """Numbers of training pictures, ascending."""
        return sorted({run.size for run in self.planned.runs})

    @property
    def tested(self) -> int:
        """Number of pictures that are tested."""
        return sum(self.manifest["counts"]["test"].values())

    @property
    def few_levels(self) -> bool:
        """Whether there are pictures of 16 bits of which few of the 256 levels are left."""
        return DARK_16_BITS in self.manifest["converted"]

    @cached_property
    def tested_names(self) -> list[str]:
        """Names of those pictures, in the order of the split."""
        return (self.prepared / "test_names.txt").read_text().split("\n")[:-1]

    @cached_property
    def groups(self) -> list[int]:
        """The group of each of them; one that belongs to no other is a group of its own."""
        of, number = self.planned.gathered.pictures.groups, dict[str | int, int]()
        return [number.setdefault(of.get(name, name), len(number)) for name in self.tested_names]

    @cached_property
    def group_count(self) -> int:
        """Number of the groups that are tested."""
        return len(set(self.groups))

    @property
    def grouped(self) -> bool:
        """Whether a group has several tested pictures."""
        return self.group_count < self.tested

    @property
    def undecidable(self) -> bool:
        """Whether groups are too few for any verdict."""
        return self.grouped and self.group_count < FEWEST_GROUPS

    def runs_of(self, row: str, size: int) -> dict[int, Mapping[str, Any]]:
        """Return the results of a cell, by seed."""
        return {
            run.seed: self.results[run.run_id]
            for run in self.planned.runs
            if (run.row, run.size) == (row, size)
        }

    def run_ids(self, row: str, size: int) -> list[str]:
        """Return the runs of a cell, in the order of their seeds."""
        runs = self.runs_of(row, size)
        return [runs[seed]["run_id"] for seed in sorted(runs)]

    def difference(self, row: str, other: str, size: int) -> Measured:
        """Return how much better a row is than another, paired by seed and by group."""
        raise NotImplementedError

    def score_over_groups(self, row: str, size: int) -> Regrouped:
        """Return the mean over seeds of what rows are compared by, over the tested groups."""
        raise NotImplementedError

    @cached_property
    def _over_groups(self) -> dict[tuple[str, int], Regrouped]:
        return {}

    def over_groups(self, row: str, size: int) -> Regrouped:
        """Return that of a cell, computed once."""
        if (row, size) not in self._over_groups:
            self._over_groups[row, size] = self.score_over_groups(row, size)
        return self._over_groups[row, size]

    def interval_over_groups(self, row: str, size: int) -> tuple[float, float] | None:
        """Return its 95 % interval; None where no tested pictures belong together, or too few."""
        ends = self.over_groups(row, size).interval() if self.grouped else None
        least, most = self.main_ends
        return None if ends is None else (max(least, ends[0]), min(most, ends[1]))

    def of_groups(self, row: str, size: int) -> dict[str, Any]:
        """Return what a cell in plain JSON says of groups, if there are any."""
        if not self.grouped:
            return {}
        low, high = self.interval_over_groups(row, size) or (None, None)
        return {"groups": self.group_count, "low_groups": low, "high_groups": high}

    def as_groups_allow(self, by_seed: Measured, by_group: Callable[[], Regrouped]) -> Measured:
        """Return a difference with the wider of its intervals, over seeds and over groups."""
        if not self.grouped or by_seed.low is None or by_seed.high is None:
            return by_seed
        ends = by_group().interval()
        if ends is None:
            return replace(by_seed, low=None, high=None)
        return replace(by_seed, low=min(by_seed.low, ends[0]), high=max(by_seed.high, ends[1]))


def within(score: Measured, least: float, most: float) -> Measured:
    """Return a mean whose interval ends where its quantity does."""
    if score.low is None or score.high is None:
        return score
    return replace(score, low=max(least, score.low), high=min(most, score.high))
