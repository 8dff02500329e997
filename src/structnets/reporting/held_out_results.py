"""What the results of all studies of cohorts share: what was said of every held-out scan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from structnets.cohorts.decisions import COUNTED
from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json
from structnets.foreign.missing import is_missing
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.study_runs import results_of

Scored = TypeVar("Scored")


class HeldOutResults(Generic[Scored]):
    """What was measured; subclasses open what the cohort's people have, and score the rows.

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

    Attributes
    ----------
    folds : numpy.ndarray
        (repetitions, N), those of the prepared cohort.
    """

    baseline: str
    """Who says the same of everybody, a row beside all others."""

    def __init__(
        self,
        planned: CohortPlan,
        manifest: Mapping[str, Any],
        prepared: Path,
        results: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self.planned, self.manifest, self.results = planned, manifest, results
        self.subjects: list[dict[str, Any]] = read_json(prepared / "subjects.json")
        self.folds = self._open(prepared)

    @classmethod
    def of_study(cls, planned: CohortPlan, prepared: Path, results: Path) -> Self:
        """Read the results of a study's runs, which lie under `results`.

        Raises
        ------
        FileNotFoundError
            If a run is not there.
        ValueError
            If a result is of another spec, or was measured on other data.
        """
        folder = prepared / planned.prepared
        manifest = load_manifest(folder)
        found = results_of(planned.runs, results, manifest["digest"], "data")
        return cls(planned, manifest, folder, found)

    def _open(self, prepared: Path) -> np.ndarray:
        """Open what people have, a class or a score each; return the folds."""
        raise NotImplementedError

    def predictions(self) -> Iterator[dict[str, Any]]:
        """Yield what was said of every scan, row by row, as the lines of a table."""
        raise NotImplementedError

    def _score_rows(self) -> dict[str, Scored]:
        """Score every row, the baseline last."""
        raise NotImplementedError

    @cached_property
    def scores_by_row(self) -> dict[str, Scored]:
        """The score of every row, the baseline last."""
        return self._score_rows()

    @cached_property
    def source(self) -> dict[str, Any]:
        """What the preparation recorded, and what the plan leaves out.

        A scan more that is left out is no other content, of which nothing is prepared anew.
        """
        source, listed = self.manifest["source"], self.planned.listed
        told = {key: listed[key] for key in ("left_out", "reasons", "excluded_by") if key in listed}
        counts = {**source["counts"], COUNTED[-1]: len(listed["left_out"])}
        return {**source, **told, "counts": counts}

    @property
    def rows(self) -> list[str]:
        """Titles of the rows, nets first."""
        return list(dict.fromkeys(run.row for run in self.planned.runs))

    @property
    def repeats(self) -> int:
        """How many times the folds were dealt."""
        return self.planned.study.repeats

    @property
    def people(self) -> list[str]:
        """Whose each scan is."""
        return [entry["subject"] for entry in self.subjects]

    def collect(self, key: str, *each: int) -> dict[str, np.ndarray]:
        """Return what each row says of every scan, by a model that had not seen its person.

        Parameters
        ----------
        key : str
            Of the details of a result, which are of the scans that its run held out.
        *each : int
            Shape of what is said of one scan.

        Returns
        -------
        dict
            (repeats, N, *each) by row.

        Raises
        ------
        ValueError
            If a run kept no such answers, or answers of others than it held out, or one is no
            finite number.
        """
        shape = (self.repeats, len(self.subjects), *each)
        found = {row: np.full(shape, np.nan) for row in self.rows}
        for run in self.planned.runs:
            repeat, fold = divmod(run.seed, self.planned.parts)
            held = np.flatnonzero(self.folds[repeat] == fold)
            said = self.results[run.run_id].get(key)
            if said is None:
                raise ValueError(
                    f"run {run.run_id} was made by an earlier version, which kept no answers of "
                    "single scans: remove its folder and call the study again"
                )
            if len(said) != len(held):
                raise ValueError(
                    f"run {run.run_id} held out {len(held)} scans and has answers of {len(said)}: "
                    "remove its folder and call the study again"
                )
            found[run.row][repeat, held] = said
        for row, answers in found.items():
            if wrong := int((~np.isfinite(answers)).sum()):
                raise ValueError(
                    f"{wrong} answers of {row} are no finite numbers: the training diverged; lower "
                    "its rate (recipe.optimizer.lr) and call the study again"
                )
        return found

    def of_training_parts(self, say: Callable[[np.ndarray], Any]) -> np.ndarray:
        """Return what is said of every scan by who knows its training part alone, (repeats, N).

        Parameters
        ----------
        say : callable
            From a mask (N,), the training part, to a number.
        """
        found = np.empty((self.repeats, len(self.subjects)))
        for repeat, folds in enumerate(self.folds[: self.repeats]):
            for fold in np.unique(folds):
                found[repeat, folds == fold] = say(folds != fold)
        return found

    def lines(self, row: str) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Yield repeat, scan, and what every line of the table of predictions begins with."""
        for repeat in range(self.repeats):
            for number, entry in enumerate(self.subjects):
                line = {key: entry[key] for key in ("subject", "session", "label")}
                line |= {"row": row, "repeat": repeat, "fold": int(self.folds[repeat, number])}
                yield repeat, number, line

    def summary(self, column: str, label: str | None = None) -> str:
        """Summarise a covariate of people: mean and deviation of numbers, else counts.

        Parameters
        ----------
        column : str
            Of the table.
        label : str, optional
            Of the people of this class alone.
        """
        people = {entry["subject"]: entry for entry in self.subjects}.values()
        return summary([e["traits"][column] for e in people if label in (None, e["label"])])


def summary(values: Sequence[str]) -> str:
    """Summarise a column: mean, deviation and range of numbers, else how often each name is there.

    Numbers that are not finite, as divisions by zero leave them, are counted beside.

    Examples
    --------
    >>> summary(["60", "70", "n/a"])
    '65.0 ± 7.1 (60 to 70), 1 missing'
    >>> summary(["60", "70", "inf"])
    '65.0 ± 7.1 (60 to 70), 1 not finite'
    >>> summary(["f", "m", "f"])
    '2 f, 1 m'
    """
    given = [value for value in values if not is_missing(value)]
    missing = f", {len(values) - len(given)} missing" if len(given) < len(values) else ""
    try:
        told = np.array([float(value) for value in given])
    except ValueError:
        counts = {value: given.count(value) for value in sorted(set(given))}
        return ", ".join(f"{count} {value}" for value, count in counts.items()) + missing
    if not told.size:
        return "all missing"
    numbers = told[np.isfinite(told)]
    if numbers.size < told.size:
        missing = f", {told.size - numbers.size} not finite{missing}"
    if not numbers.size:
        return missing.removeprefix(", ")
    spread = f" ± {numbers.std(ddof=1):.1f}" if numbers.size > 1 else ""
    return f"{numbers.mean():.1f}{spread} ({numbers.min():g} to {numbers.max():g}){missing}"
