"""RESULTS.md and `structnets results`: what the committed ledger says of every target."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from structnets.reporting.cells import Cell, cells_of
from structnets.reporting.claims import markdown as claims_table
from structnets.reporting.claims import verdicts
from structnets.reporting.findings import Finding, findings
from structnets.reporting.formats import markdown_matrix, markdown_runs, stated
from structnets.reporting.freshness import is_stale
from structnets.reporting.interpretations import section
from structnets.reporting.ledger import read_ledger
from structnets.reporting.markdown import escaped, without_html
from structnets.reporting.notes import markdown_notes
from structnets.reporting.numbers import gap
from structnets.reporting.protocol import FULL
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import load_experiments
from structnets.reporting.searches import Search, code_changed, searches
from structnets.specs.target import load_targets

KEYS = (
    "target",
    "row",
    "column",
    "preset",
    "comparable",
    "differs",
    "data",
    "mean",
    "sd",
    "n",
    "chance",
    "thesis",
    "hardware",
    "run_ids",
    "stale",
)
PRESETS = ("small", "paper")  # smoke proves the wiring and never enters the ledger

_HEADER = """# Results

What was measured, generated from the [ledger](workflow/ledger) by
`structnets results --write RESULTS.md`; do not edit. A cell reads **mean ± standard deviation
(number of runs)**. The thesis' value and the gap to it stand beside a number only where its runs
have the protocol of the preset `paper` in all but the seed. Any other number stands beside what
guessing scores, and a list below its table says how its runs are reduced; the thesis' values then
have a column of their own. Counts are those of the nets of `paper`. Every run has its id, its spec,
its hardware and its commit in the ledger."""


def renderings(
    ledger_dir: Path, targets_dir: Path, experiments_dir: Path
) -> Iterator[dict[str, Rendering]]:
    """Yield every table under every preset that it has but smoke, by preset."""
    lines = read_ledger(ledger_dir).values()
    tables = load_targets(targets_dir).tables
    experiments = load_experiments(experiments_dir, list(tables.values()))
    for table in tables.values():
        found = {
            preset: Rendering(table, preset, cells_of(table, experiments, preset, lines, is_stale))
            for preset in PRESETS
            if table.floor.get(preset)
        }
        if found:
            yield found


def merged(found: Mapping[str, Rendering]) -> Rendering:
    """Lay a table's renderings over each other: a cell is that of ``paper`` if that has runs."""
    full = found.get(FULL, next(iter(found.values())))
    cells, presets = [], set()
    for cell in full.cells:
        others = (one.cell(cell.row, cell.column) for one in found.values())
        chosen = cell if cell.n else next((other for other in others if other.n), cell)
        cells.append(chosen)
        presets |= {chosen.preset} if chosen.n else set()
    named = [preset for preset in PRESETS if preset in presets] or [full.preset]
    return Rendering(full.table, " and ".join(named), cells)


def rows(
    ledger_dir: Path, targets_dir: Path, experiments_dir: Path | None = None
) -> list[dict[str, Any]]:
    """List the measured cells of all tables, the values of analyses and the best of searches.

    Parameters
    ----------
    ledger_dir : pathlib.Path
        Folder of the ledger, ``workflow/ledger``.
    targets_dir : pathlib.Path
        Folder of target files, ``workflow/targets``.
    experiments_dir : pathlib.Path, optional
        Folder of experiment files; by default ``experiments`` beside the targets.

    Returns
    -------
    list of dict
        The keys of `KEYS`; ``stale`` is None where it is not known. ``differs`` says in words how
        the runs are reduced; ``thesis`` is to be set beside ``mean`` only where ``comparable``.
    """
    folder = experiments_dir or targets_dir.parent / "experiments"
    cells = [
        {key: value for key, value in cell.as_dict().items() if key in KEYS}
        for presets in renderings(ledger_dir, targets_dir, folder)
        for cell in _once(presets)
    ]
    found = findings_of(ledger_dir, targets_dir, folder)
    searched = searches_of(ledger_dir, targets_dir)
    return cells + [row for one in (*found, *searched) for row in one.rows()]


def _once(presets: Mapping[str, Rendering]) -> list[Cell]:
    """List the measured cells of a table, those with the full protocol under one preset only."""
    full = presets.get(FULL)
    return [
        cell
        for preset, rendering in presets.items()
        for cell in rendering.measured()
        if full is None
        or preset == FULL
        or cell.run_ids != full.cell(cell.row, cell.column).run_ids
    ]


def findings_of(ledger_dir: Path, targets_dir: Path, experiments_dir: Path) -> Iterator[Finding]:
    """Yield the measured analyses among the targets."""
    lines = read_ledger(ledger_dir)
    analyses = load_targets(targets_dir).analyses

    @functools.cache
    def changed(run: str) -> bool:
        return run in lines and is_stale(lines[run])

    return findings(ledger_dir, analyses, experiments_dir, PRESETS, changed)


def searches_of(ledger_dir: Path, targets_dir: Path) -> Iterator[Search]:
    """Yield the measured sweeps among the targets."""
    return searches(ledger_dir, load_targets(targets_dir).sweeps, PRESETS, code_changed)


def markdown(ledger_dir: Path, targets_dir: Path, experiments_dir: Path | None = None) -> str:
    """Write RESULTS.md: every target, also what fell short and what was not run.

    Parameters are those of `rows`.
    """
    folder = experiments_dir or targets_dir.parent / "experiments"
    parts = [_HEADER]
    claims = targets_dir.parent / "claims"
    if claims.is_dir():
        parts.append(claims_table(verdicts(claims, ledger_dir, targets_dir, folder)))
    for rendering in map(merged, renderings(ledger_dir, targets_dir, folder)):
        parts += [
            f"## {escaped(rendering.table.title)}",
            without_html(rendering.table.caption),
            stated(rendering),
            markdown_matrix(rendering),
            _shortfalls(rendering),
            markdown_notes(rendering),
            section(rendering.table.interpretations),
            markdown_runs(rendering),
        ]
    parts += [finding.markdown() for finding in findings_of(ledger_dir, targets_dir, folder)]
    parts += [search.markdown() for search in searches_of(ledger_dir, targets_dir)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shortfalls(rendering: Rendering) -> str:
    """Name the cells that fell short of the thesis by more than half a point."""
    table = rendering.table
    short = [
        f"{cell.row} at {cell.column} ({gap(cell.gap, table.digits_of(table.column(cell.column)))})"
        for cell in rendering.cells
        if cell.gap is not None and table.falls_short(table.column(cell.column), cell.gap)
    ]
    named = escaped("; ".join(short))
    return f"Short of the thesis by more than half a point: {named}." if short else ""
