"""The one call that makes a run of a cell again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets import identity
from structnets.entries import did_you_mean
from structnets.reporting.ledger import read_ledger
from structnets.reporting.requests import cell_spec, is_called, load_experiments
from structnets.specs.table import Column, Row
from structnets.specs.target import load_targets

_PRESETS = ("paper", "small", "smoke")


@dataclass(frozen=True)
class Reproduction:
    """One run, and how it is made again.

    Attributes
    ----------
    run_id, preset : str
        The run.
    in_ledger : bool
        Whether the ledger holds it.
    words : list of str
        The call, word by word.
    """

    run_id: str
    preset: str
    in_ledger: bool
    words: list[str]

    @property
    def call(self) -> str:
        """The call as a line of a shell."""
        return shlex.join(self.words)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        keys = ("run_id", "preset", "in_ledger")
        return {**{key: getattr(self, key) for key in keys}, "call": self.call}


def reproduction(
    workflow: Path,
    target: str,
    row: str,
    column: str,
    seed: int = 0,
    preset: str | None = None,
    config: Mapping[str, str] | None = None,
) -> Reproduction:
    """Find the call that makes one run of a cell again.

    Parameters
    ----------
    workflow : pathlib.Path
        Folder of the workflow in a checkout.
    target, row, column : str
        The cell; rows and columns by key or label.
    seed : int
        Of the run.
    preset : str, optional
        By default that of the cell's run in the ledger, else ``small`` where the cell has it.
    config : mapping of str to str, optional
        Further keys of the workflow's configuration, ``data_root`` for example.

    Raises
    ------
    ValueError
        If there is no such cell, or it has no run under the preset.
    """
    tables = load_targets(workflow / "targets").tables
    if target not in tables:
        near = did_you_mean(target, list(tables))
        raise ValueError(
            f"{target!r} is no target with cells{near}; `structnets targets` lists all"
        )
    table = tables[target]
    place = (found_key(row, table.rows, "row"), found_key(column, table.columns, "column"))
    able = [
        one
        for one in _PRESETS
        if one in table.floor
        and place[0] in table.run_rows(one)
        and place[1] in table.run_columns(one)
    ]
    if not able or (preset is not None and preset not in able):
        raise ValueError(
            f"{target}, row {place[0]}, column {place[1]} has no run"
            f"{f' in the preset {preset}' if preset else ''}; presets with one: "
            f"{', '.join(able) or 'none'}"
        )
    experiments = load_experiments(workflow / "experiments", [table])
    specs = {one: cell_spec(table, experiments, one, *place, seed) for one in able}
    ledger = read_ledger(workflow / "ledger")
    measured = {one: identity.run_id(spec) in ledger for one, spec in specs.items()}
    usual = "small" if "small" in able else able[0]
    chosen = preset or next((one for one in able if measured[one]), usual)
    run = identity.run_id(specs[chosen])
    given = {
        "preset": chosen,
        "rows": place[0],
        "columns": place[1],
        "seeds": str(seed + 1),
        "ledger": "ignore",
        **(config or {}),
    }
    results = given.get("results", "results")
    words = ["snakemake", "--profile", "profiles/local", f"{results}/runs/{run}/result.json"]
    words += ["--config", *(f"{key}={value}" for key, value in given.items())]
    return Reproduction(run, chosen, measured[chosen], words)


def found_key(name: str, parts: list[Row] | list[Column], what: str) -> str:
    """Return the key of a row or column that is called so by key or label.

    Raises
    ------
    ValueError
        If there is none; the message lists those that there are.
    """
    for part in parts:
        if is_called(part, name):
            return part.key
    keys = [part.key for part in parts]
    raise ValueError(
        f"there is no {what} {name!r}{did_you_mean(name, keys)}; allowed: {', '.join(keys)}"
    )
