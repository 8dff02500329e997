"""What is asked for on a command line, checked against the targets there are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from structnets.entries import did_you_mean
from structnets.reporting.plan import Plan
from structnets.reporting.requests import is_called
from structnets.specs.configuration import Configuration
from structnets.specs.table import Table


def check_asked(
    asked: Iterable[str], rules: Iterable[str], plan: Plan, configuration: Configuration
) -> None:
    """Refuse names that are neither targets nor other rules, and what would do nothing.

    Parameters
    ----------
    asked : iterable of str
        Names on the command line. Paths with a folder in them are files, and passed over.
    rules : iterable of str
        Names of all rules, those of the targets among them.
    plan : Plan
        Of this call.
    configuration : Configuration
        Of this call.

    Raises
    ------
    ValueError
        Naming what is wrong; for an unknown name the nearest ones, and every target.
    """
    asked, known = list(asked), set(rules)
    _check_of_targets([plan.tables[name] for name in asked if name in plan.tables], configuration)
    for name in asked:
        if name not in known and len(PurePath(name).parts) < 2:
            raise ValueError(_unknown(name, known, plan.targets))
        if name in plan.tables:
            _check_not_empty(name, plan, configuration)


def check_named_rules(option: str, names: Iterable[str], rules: Iterable[str]) -> None:
    """Refuse names after an option of Snakemake that are neither rules nor files.

    Snakemake does nothing about an unknown name after ``--omit-from``, and says of others only
    that no rule produces them.

    Parameters
    ----------
    option : str
        As it is written, such as ``--until``.
    names : iterable of str
        What was given to it. Paths with a folder in them are files, and passed over.
    rules : iterable of str
        Names of all rules.

    Raises
    ------
    ValueError
        Naming the option, the name and the nearest rules.
    """
    known = sorted(rules)
    for name in names:
        if name not in known and len(PurePath(name).parts) < 2:
            raise ValueError(
                f"{option} names no rule {name!r}{did_you_mean(name.lower(), known)}; "
                "snakemake --list-rules lists them"
            )


def _check_of_targets(tables: list[Table], configuration: Configuration) -> None:
    """Refuse a row or column that none of the targets asked for has."""
    preset = configuration.preset
    if not tables:
        return
    named = ", ".join(table.target for table in tables)
    for what in ("rows", "columns"):
        parts = [
            part
            for table in tables
            for part in (table.rows_of(preset) if what == "rows" else table.columns_of(preset))
        ]
        for name in getattr(configuration, what) or []:
            if name != "all" and not any(is_called(part, name) for part in parts):
                keys = list(dict.fromkeys(part.key for part in parts))
                raise ValueError(
                    f"{what}={name}: {named} has no such {what[:-1]} to run in the preset "
                    f"{preset}{did_you_mean(name, keys)}; its {what}: {', '.join(keys) or 'none'}"
                )


def _unknown(name: str, rules: set[str], targets: list[str]) -> str:
    suggested = did_you_mean(name.lower(), sorted(rules))
    return f"unknown target {name!r}{suggested}; targets: all, {', '.join(targets)}"


def _check_not_empty(target: str, plan: Plan, configuration: Configuration) -> None:
    """Refuse rows and columns of which a target has no cell."""
    chosen = {"rows": configuration.rows, "columns": configuration.columns}
    given = [f"{key}={','.join(names)}" for key, names in chosen.items() if names is not None]
    if not given or plan.requested[target]:
        return
    table, preset = plan.tables[target], configuration.preset
    raise ValueError(
        f"{target} has no cell of {' '.join(given)} to run in the preset {preset}; its rows: "
        f"{', '.join(table.run_rows(preset)) or 'none'}; its columns: "
        f"{', '.join(table.run_columns(preset)) or 'none'}"
    )
