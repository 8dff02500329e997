"""Measured quantities by their address: what claims are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.entries import did_you_mean
from structnets.reporting.findings import Finding, findings
from structnets.reporting.ledger import Line, read_ledger
from structnets.reporting.pooling import (
    data_of,
    different_data,
    fold_seeds,
    whole_repetitions,
)
from structnets.reporting.protocol import FULL, did_not_train
from structnets.reporting.requests import (
    Experiments,
    cell_key,
    cell_spec,
    full_spec,
    load_experiments,
)
from structnets.reporting.searches import Search, searches, shown_value
from structnets.specs.sweep import Sweep, resolve_sweep
from structnets.specs.table import COUNTS, Table
from structnets.specs.target import Targets, load_targets
from structnets.training.stated_result import metric

REDUCED = "small"


@dataclass(frozen=True)
class Quantity:
    """What was measured of one thing.

    Attributes
    ----------
    by_seed : dict of int to float
        Values of the runs; of an analysis or search, by what the seeds of its networks are above
        its file's.
    run_ids : list of str
        The runs, or searches.
    right : dict of int to list of bool
        Of the accuracy in a cross-validation: by repetition, whether each of the people held out
        was classified rightly.
    untrained : int
        Runs that ended where guessing does.
    data : tuple of str, str, or None
        Name and digest of the prepared data of a table's cell.
    refusal : str or None
        Why the runs of a cell make no value.
    """

    by_seed: dict[int, float] = field(default_factory=dict)
    run_ids: list[str] = field(default_factory=list)
    right: dict[int, list[bool]] = field(default_factory=dict)
    untrained: int = 0
    data: tuple[str, str] | None = None
    refusal: str | None = None


class Measured:
    """Everything the ledger holds, looked up by address."""

    def __init__(self, ledger: Path, targets: Path, experiments: Path) -> None:
        self.targets: Targets = load_targets(targets)
        tables = self.targets.tables
        self.experiments: Experiments = load_experiments(experiments, list(tables.values()))
        self.runs: dict[str, list[Line]] = {}
        for line in read_ledger(ledger).values():
            self.runs.setdefault(cell_key(line["spec"]), []).append(line)
        found = findings(ledger, self.targets.analyses, experiments, (REDUCED, FULL))
        self.findings: dict[tuple[str, bool], Finding] = {
            (finding.line["target"], finding.comparable): finding for finding in found
        }
        self.searches: dict[tuple[str, bool], Search] = {
            (search.sweep.target, search.comparable): search
            for search in searches(ledger, self.targets.sweeps, (REDUCED, FULL))
        }

    def quantity(self, address: str, reduced: bool) -> Quantity:
        """Return what was measured at an address, under the thesis' protocol or a reduced one.

        Raises
        ------
        ValueError
            If there is no such target, row or column.
        """
        target, *place = address.split("/")
        if target in self.targets.tables and len(place) == 2:
            table = self.targets.tables[target]
            _check_known("row", place[0], [row.key for row in table.rows], address)
            _check_known("column", place[1], [one.key for one in table.columns], address)
            return self._cell(table, place[0], place[1], reduced)
        if target in self.targets.analyses and len(place) == 1:
            return self._value(target, place[0], reduced)
        if target in self.targets.sweeps and len(place) == 1:
            return self._searched(self.targets.sweeps[target], place[0], reduced)
        names = [*self.targets.tables, *self.targets.analyses, *self.targets.sweeps]
        raise ValueError(
            f"{address}: no table with a row and a column, analysis with a value, or sweep with "
            f"option=value is called so{did_you_mean(target, names)}"
        )

    def _cell(self, table: Table, row: str, column: str, reduced: bool) -> Quantity:
        shown = table.metric_of(column)
        if table.row(row).reported is not None or shown in COUNTS:
            return Quantity()
        full = full_spec(table, self.experiments, row, column)
        wanted = full
        if reduced:
            line, place = table.row(row), table.column(column)
            experiment = self.experiments[str(line.experiment)]
            there = REDUCED in experiment.presets and REDUCED in line.runs_in
            if not there or REDUCED not in place.presets:
                return Quantity()
            wanted = cell_spec(table, self.experiments, REDUCED, row, column)
            if full is not None and cell_key(full) == cell_key(wanted):
                return Quantity()  # that is the thesis' protocol
        if wanted is None:
            return Quantity()
        lines = {line["spec"]["seed"]: line for line in self.runs.get(cell_key(wanted), [])}
        if refusal := different_data(list(lines.values())):
            return Quantity(refusal=refusal)
        repetitions = whole_repetitions(list(lines.values()))
        if lines and find_dataset(wanted["data"]["name"]).form == "cohort":
            # Folds of another repetition hold out the same people: no further samples.
            if not repetitions:
                return Quantity(refusal="no repetition of its folds was run whole")
            seeds = fold_seeds(wanted["data"], min(repetitions))
            lines = {seed: lines[seed] for seed in seeds} if shown != "accuracy" else lines
        return Quantity(
            {seed: metric(line, shown) for seed, line in lines.items()},
            sorted(line["run_id"] for line in lines.values()),
            _right(repetitions) if shown == "accuracy" else {},
            sum(map(did_not_train, lines.values())),
            next((data_of(line) for line in lines.values()), None),
        )

    def _value(self, target: str, name: str, reduced: bool) -> Quantity:
        finding = self.findings.get((target, not reduced))
        if finding is None:
            return Quantity()
        return Quantity(finding.by_offset(name), sorted(finding.run_ids))

    def _searched(self, sweep: Sweep, choice: str, reduced: bool) -> Quantity:
        """Return what the best trial with a choice, ``option=value``, reached in each search."""
        preset = REDUCED if reduced else FULL
        points = resolve_sweep(sweep, preset)["points"] if preset in sweep.presets else []
        known = {
            f"{option}={shown_value(value)}" for point in points for option, value in point.items()
        }
        if points:
            _check_known("choice", choice, sorted(known), f"{sweep.target}/{choice}")
        search = self.searches.get((sweep.target, not reduced))
        if search is None:
            return Quantity()
        option, _, value = choice.partition("=")
        return Quantity(search.by_offset(**{option: value}), search.sweep_ids)


def _check_known(what: str, key: str, known: Iterable[str], address: str) -> None:
    names = list(known)
    if key not in names:
        raise ValueError(f"{address}: unknown {what} {key!r}{did_you_mean(key, names)}")


def _right(repetitions: Mapping[int, np.ndarray]) -> dict[int, list[bool]]:
    """Say of all held-out people whether they were classified rightly, by repetition."""
    return {
        number: ((pairs[:, 1] > 0) == (pairs[:, 0] == 1)).tolist()
        for number, pairs in repetitions.items()
    }
