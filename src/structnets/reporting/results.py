"""RESULTS.md and `structnets results`: what the committed ledger says of every target."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from structnets.reporting.cells import cells_of
from structnets.reporting.findings import Finding, findings
from structnets.reporting.formats import (
    Rendering,
    gap,
    markdown_matrix,
    markdown_notes,
    markdown_runs,
    stated,
)
from structnets.reporting.freshness import is_stale
from structnets.reporting.interpretations import section
from structnets.reporting.ledger import read_ledger
from structnets.reporting.markdown import escaped, without_html
from structnets.reporting.requests import load_experiments
from structnets.specs.target import load_targets

KEYS = (
    "target",
    "row",
    "column",
    "preset",
    "data",
    "mean",
    "sd",
    "n",
    "thesis",
    "hardware",
    "run_ids",
    "stale",
)
PRESETS = ("small", "paper")  # smoke proves the wiring and never enters the ledger

_HEADER = """# Results

What was measured, beside the thesis. Generated from the [ledger](workflow/ledger) by
`structnets results --write RESULTS.md`; do not edit. A cell reads **mean ± standard deviation
(number of runs)**, the thesis' value, and the gap to it. Every run has its id, its spec, its
hardware and its commit in the ledger. `small` uses the real data with fewer runs, `paper` is the
thesis' protocol."""


def renderings(ledger_dir: Path, targets_dir: Path, experiments_dir: Path) -> Iterator[Rendering]:
    """Yield every target under every preset that has runs in the ledger (or one without runs)."""
    lines = read_ledger(ledger_dir).values()
    tables = load_targets(targets_dir).tables
    experiments = load_experiments(experiments_dir, list(tables.values()))
    for table in tables.values():
        found = [
            Rendering(table, preset, cells_of(table, experiments, preset, lines, is_stale))
            for preset in PRESETS
            if preset in table.floor
        ]
        yield from [rendering for rendering in found if rendering.measured()] or found[-1:]


def rows(
    ledger_dir: Path, targets_dir: Path, experiments_dir: Path | None = None
) -> list[dict[str, Any]]:
    """List the measured cells of all tables and the values of all analyses.

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
        ``target, row, column, preset, data, mean, sd, n, thesis, hardware, run_ids, stale``; the
        last is None where it is not known.
    """
    folder = experiments_dir or targets_dir.parent / "experiments"
    cells = [
        {key: value for key, value in cell.as_dict().items() if key in KEYS}
        for rendering in renderings(ledger_dir, targets_dir, folder)
        for cell in rendering.measured()
    ]
    found = _findings(ledger_dir, targets_dir, folder)
    return cells + [row for finding in found for row in finding.rows()]


def _findings(ledger_dir: Path, targets_dir: Path, experiments_dir: Path) -> Iterator[Finding]:
    """Yield the measured analyses among the targets."""
    stale = {run for run, line in read_ledger(ledger_dir).items() if is_stale(line)}
    analyses = load_targets(targets_dir).analyses
    return findings(ledger_dir, analyses, experiments_dir, PRESETS, stale)


def markdown(ledger_dir: Path, targets_dir: Path, experiments_dir: Path | None = None) -> str:
    """Write RESULTS.md: every target, also what fell short and what was not run.

    Parameters are those of `rows`.
    """
    folder = experiments_dir or targets_dir.parent / "experiments"
    parts = [_HEADER]
    for rendering in renderings(ledger_dir, targets_dir, folder):
        parts += [
            f"## {escaped(rendering.table.title)} ({rendering.preset})",
            without_html(rendering.table.caption),
            stated(rendering),
            markdown_matrix(rendering),
            _shortfalls(rendering),
            markdown_notes(rendering),
            section(rendering.table.interpretations),
            markdown_runs(rendering),
        ]
    parts += [finding.markdown() for finding in _findings(ledger_dir, targets_dir, folder)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shortfalls(rendering: Rendering) -> str:
    """Name the cells that fell short of the thesis by more than half a point."""
    table = rendering.table
    short = [
        f"{cell.row} at {cell.column} ({gap(cell.gap, table.digits_of(table.column(cell.column)))})"
        for cell in rendering.cells
        if table.falls_short(table.column(cell.column), cell.gap)
    ]
    named = escaped("; ".join(short))
    return f"Short of the thesis by more than half a point: {named}." if short else ""
