"""Which runs a table asks for: the floor of a preset, or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from structnets import identity
from structnets.reporting.protocol import FULL, science_of
from structnets.specs.experiment import Contents, Experiment, load_experiment, merge, resolve
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.table import Column, Floor, Row, Table
from structnets.specs.validation import load_yaml

Experiments = Mapping[str, Experiment]


@dataclass(frozen=True)
class Request:
    """One run and the cell it counts for."""

    target: str
    row: str
    column: str
    spec: ResolvedSpec

    @property
    def run_id(self) -> str:
        """Name of the run."""
        return identity.run_id(self.spec)


def load_experiments(
    directory: Path, tables: Sequence[Table], contents: Contents | None = None
) -> dict[str, Experiment]:
    """Read the experiment files that the rows of some tables name.

    Their specs say which content the user's own data have, as far as `contents` knows.

    Raises
    ------
    FileNotFoundError
        If a row names a file that is not there.
    ValueError
        If a file is not valid, or belongs to another chapter than its table.
    """
    experiments: dict[str, Experiment] = {}
    for table in tables:
        for row in table.rows:
            if row.experiment is None:
                continue
            path = directory / row.experiment
            if row.experiment not in experiments:
                if not path.is_file():
                    raise FileNotFoundError(
                        f"{path}, named by {table.target}.{row.key}, is missing"
                    )
                experiments[row.experiment] = load_experiment(load_yaml(path), str(path), contents)
            chapter = experiments[row.experiment].chapter
            if chapter != table.chapter:
                raise ValueError(f"{path}: chapter {chapter}; {table.target} needs {table.chapter}")
    return experiments


def cell_spec(
    table: Table, experiments: Experiments, preset: str, row: str, column: str, seed: int = 0
) -> ResolvedSpec:
    """Resolve the spec of one run of a cell.

    Raises
    ------
    ValueError
        Naming the cell, if the merged spec is not valid.
    """
    line, place = table.row(row), table.column(column)
    if line.experiment is None:
        raise ValueError(f"{table.target}.{row} is reported, not run")
    experiment = _with_presets(experiments[line.experiment], line)
    extra = place.recipe.get(_recipe_kind(experiment, line), {})  # type: ignore[call-overload]
    by_column = merge(place.overrides, {"recipe": extra}) if extra else place.overrides
    try:
        return resolve(experiment, preset, seed, by_column, line.overrides)
    except ValueError as error:
        raise ValueError(f"{table.target}, row {row}, column {column}: {error}") from error


def full_spec(table: Table, experiments: Experiments, row: str, column: str) -> ResolvedSpec | None:
    """Resolve the spec that a cell has under the full protocol; None where there is none.

    Rows and columns that the preset ``paper`` leaves out, and tables of one's own without it, have
    none.
    """
    line, place = table.row(row), table.column(column)
    known = line.experiment is not None and FULL in experiments[line.experiment].presets
    if not known or FULL not in line.runs_in or FULL not in place.presets:
        return None
    return cell_spec(table, experiments, FULL, row, column)


def cell_key(spec: ResolvedSpec) -> str:
    """Digest what all runs of a cell share: their science without seed and preset."""
    return identity.digest(science_of(spec))


def requested_specs(
    table: Table,
    experiments: Experiments,
    preset: str,
    rows: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
) -> list[Request]:
    """List the runs a table asks for.

    Parameters
    ----------
    table : Table
        The table.
    experiments : mapping of str to Experiment
        From `load_experiments`.
    preset : {'smoke', 'small', 'paper'}
        Its floor is the starting point.
    rows, columns : sequence of str, optional
        Instead of those of each entry of the floor; ``["all"]`` for all.
    seeds : sequence of int, optional
        Instead of those of each entry of the floor.

    Returns
    -------
    list of Request
        In the order of the table, every cell and seed once.

    Raises
    ------
    ValueError
        If the table has no floor for the preset.
    """
    if preset not in table.floor:
        allowed = ", ".join(table.floor)
        raise ValueError(f"{table.target} has no preset {preset!r}; allowed: {allowed}")
    wanted: set[tuple[str, str, int]] = set()
    for floor in table.floor[preset]:  # type: ignore[index]
        wanted |= _cells(table, preset, floor, rows, columns, seeds)
    requests = []
    for row in table.run_rows(preset):
        for column in (column.key for column in table.columns):
            chosen = sorted(seed for r, c, seed in wanted if (r, c) == (row, column))
            if chosen:
                spec = cell_spec(table, experiments, preset, row, column)
                seeded = [cast("ResolvedSpec", {**spec, "seed": seed}) for seed in chosen]
                requests += [Request(table.target, row, column, one) for one in seeded]
    return requests


def _cells(
    table: Table,
    preset: str,
    floor: Floor,
    rows: Sequence[str] | None,
    columns: Sequence[str] | None,
    seeds: Sequence[int] | None,
) -> set[tuple[str, str, int]]:
    wanted_rows = rows if rows is not None else floor.rows
    wanted_columns = columns if columns is not None else floor.columns
    chosen_rows = _chosen(table.rows, table.run_rows(preset), wanted_rows)
    chosen_columns = _chosen(table.columns, table.run_columns(preset), wanted_columns)
    chosen_seeds = seeds if seeds is not None else floor.seeds
    return {(r, c, s) for r in chosen_rows for c in chosen_columns for s in chosen_seeds}


def is_called(part: Row | Column, name: str) -> bool:
    """Say whether a row or column is called so, by its key or by its label."""
    return name == part.key or name.lower() == part.label.lower()


def _chosen(
    parts: Sequence[Row] | Sequence[Column], run: list[str], wanted: Sequence[str]
) -> list[str]:
    """Keep the wanted keys of what is run; names of other tables are passed over."""
    everything = wanted == "all" or "all" in wanted
    return [
        part.key
        for part in parts
        if part.key in run and (everything or any(is_called(part, name) for name in wanted))
    ]


def _with_presets(experiment: Experiment, row: Row) -> Experiment:
    """Lay a row's presets over those of its experiment."""
    own = {
        preset: merge(given, row.presets.get(preset, {}))
        for preset, given in experiment.presets.items()
    }
    return experiment.model_copy(update={"presets": own})


def _recipe_kind(experiment: Experiment, row: Row) -> str:
    merged = merge(experiment.recipe, row.overrides.get("recipe", {}))
    return merged.get("kind", "gradient")
