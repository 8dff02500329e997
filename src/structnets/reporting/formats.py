"""A rendered table as CSV, JSON and Markdown (HTML: `structnets.reporting.page`)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from structnets.cohorts.decisions import COUNTED
from structnets.files import json_text
from structnets.reporting.cells import Cell
from structnets.reporting.freshness import STALE, stale_note
from structnets.reporting.interpretations import section
from structnets.reporting.markdown import code, escaped, without_html
from structnets.specs.table import Table

_CSV: tuple[str, ...] = (
    "target",
    "row",
    "row_label",
    "column",
    "column_label",
    "preset",
    "data",
    "status",
    "mean",
    "sd",
    "n",
    "pooled",
    "thesis",
    "gap",
    "hardware",
    "stale",
    "run_ids",
)


@dataclass(frozen=True)
class Rendering:
    """A table and its cells of one preset, row by row."""

    table: Table
    preset: str
    cells: Sequence[Cell]

    def cell(self, row: str, column: str) -> Cell:
        """Return the cell at a place."""
        return next(c for c in self.cells if (c.row, c.column) == (row, column))

    def measured(self) -> list[Cell]:
        """List the cells that have runs."""
        return [cell for cell in self.cells if cell.n]

    def run_ids(self) -> list[str]:
        """List the runs of all cells, sorted."""
        return sorted({run for cell in self.cells for run in cell.run_ids})

    def provenance(self) -> str:
        """Say in one line which preset, data, hardware and numbers of runs this is."""
        measured = self.measured()
        parts = [f"preset {self.preset}"]
        if measured:
            counts = sorted({cell.n for cell in measured})
            span = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
            parts += [
                "data " + ", ".join(dict.fromkeys(str(cell.data) for cell in measured)),
                f"n = {span} run{'s' * (counts[-1] > 1)} a cell",
                "hardware " + ", ".join(sorted({str(cell.hardware) for cell in measured})),
            ]
        else:
            parts.append("nothing measured yet")
        if self.preset == "smoke":
            parts.append("proves the wiring, not comparable with the thesis")
        return " · ".join(parts)


def number(value: float, digits: int = 2) -> str:
    """Format a metric or a count."""
    return f"{value:,.{digits}f}"


def gap(value: float, digits: int = 2) -> str:
    """Format a difference with its sign."""
    return f"{value:+,.{digits}f}".replace("-", "−")


def spread(cell: Cell, digits: int = 2) -> str:
    """Format a measured cell: ``mean ± sd (n)``, marked if its code has changed since.

    A count has neither spread nor runs.
    """
    mean = number(cell.mean, digits) if cell.mean is not None else ""
    if cell.status == "counted":
        return mean
    deviation = f" ± {number(cell.sd, digits)}" if cell.sd is not None else ""
    return f"{mean}{deviation} ({cell.n}){STALE * cell.stale}"


def pooled(cell: Cell, digits: int = 2) -> str:
    """Format the score over the predictions of all folds, or nothing."""
    return "" if cell.pooled is None else f"pooled {number(cell.pooled, digits)}"


def stated(rendering: Rendering) -> str:
    """Say in a paragraph where the numbers come from, and their unit if they have one."""
    unit = rendering.table.unit
    return f"{escaped(rendering.provenance())}.{f' Unit: {escaped(unit)}.' if unit else ''}"


def to_csv(rendering: Rendering) -> str:
    """Write one line per cell; missing values are empty, run ids are separated by spaces."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _CSV, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for cell in rendering.cells:
        labels = {
            "row_label": rendering.table.row(cell.row).label,
            "column_label": rendering.table.column(cell.column).label,
        }
        writer.writerow({**cell.as_dict(), **labels, "run_ids": " ".join(cell.run_ids)})
    return text.getvalue()


def to_json(rendering: Rendering) -> str:
    """Write the cells with what they are cells of."""
    table = rendering.table
    content = {
        "target": table.target,
        "title": table.title,
        "caption": table.caption,
        "metric": table.metric,
        "unit": table.unit,
        "preset": rendering.preset,
        "cells": [cell.as_dict() for cell in rendering.cells],
    }
    return json_text(content)


def to_markdown(rendering: Rendering) -> str:
    """Write title, caption, matrix of cells, notes and runs."""
    table = rendering.table
    parts = [
        f"# {escaped(table.title)}",
        without_html(table.caption),
        stated(rendering),
        markdown_matrix(rendering),
        markdown_notes(rendering),
        section(table.interpretations),
        markdown_runs(rendering),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def markdown_matrix(rendering: Rendering) -> str:
    """Write rows × columns; a cell holds mean ± sd (n), the thesis' value and the gap."""
    table = rendering.table
    corner = f"{escaped(table.row_label)} \\ {escaped(table.column_label)}".strip(" \\")
    lines = [
        f"| {corner} | " + " | ".join(escaped(column.label) for column in table.columns) + " |",
        "|---|" + "---|" * len(table.columns),
    ]
    for row in table.rows:
        cells = (
            _markdown_cell(rendering.cell(row.key, column.key), table.digits_of(column))
            for column in table.columns
        )
        label = escaped(row.label)
        label = f"*{label} (reported)*" if row.reported is not None else label
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _markdown_cell(cell: Cell, digits: int) -> str:
    if cell.status == "reported" and cell.thesis is not None:
        return f"*{number(cell.thesis, digits)}*"
    measured = f"**{spread(cell, digits)}**" if cell.mean is not None else cell.status
    if text := pooled(cell, digits):
        measured = f"{measured}<br>{text}"
    if cell.thesis is None or cell.preset == "smoke":
        return measured
    thesis = f"thesis {number(cell.thesis, digits)}"
    if cell.gap is not None:
        thesis = f"{thesis}, {gap(cell.gap, digits)}"
    return f"{measured}<br>{thesis}"


def notes(rendering: Rendering) -> list[str]:
    """List what is to be said about single values: sources, uncertain thesis values, staleness."""
    table = rendering.table
    said = [f"{row.label}: reported; {row.source}." for row in table.rows if row.source]
    places: dict[str, dict[str, list[str]]] = {}
    for row in table.rows if rendering.preset != "smoke" else []:
        for column in table.columns:
            if note := table.thesis_note(row.key, column.key):
                places.setdefault(note, {}).setdefault(row.label, []).append(column.label)
    for note, rows in places.items():
        where = "; ".join(f"{label} at {', '.join(columns)}" for label, columns in rows.items())
        said.append(f"Thesis value of {where}: {note}.")
    for cell in rendering.cells:
        if cell.refusal:
            row, column = table.row(cell.row).label, table.column(cell.column).label
            said.append(f"{row} at {column}: {cell.refusal}.")
    scans = {cell.data: cell.counts for cell in rendering.cells if cell.counts}
    for data, counts in scans.items():
        words = [f"{counts[key]} {key}" for key in COUNTED if key in counts]
        said.append(f"Scans of {data}: {', '.join(words)}.")
    if any(cell.pooled is not None for cell in rendering.cells):
        said.append("Pooled: over the predictions of all folds of a cross-validation at once.")
    if any(cell.stale for cell in rendering.cells):
        said.append(stale_note("a run in this cell"))
    return said


def markdown_notes(rendering: Rendering) -> str:
    """Write the notes as a list."""
    return "\n".join(f"- {escaped(note)}" for note in notes(rendering))


def markdown_runs(rendering: Rendering) -> str:
    """Write which runs stand in which cell, folded."""
    measured = rendering.measured()
    if not measured:
        return ""
    lines = ["<details><summary>Runs</summary>", "", "| cell | data | hardware | runs |"]
    lines.append("|---|---|---|---|")
    for cell in measured:
        runs = "<br>".join(code(run) for run in cell.run_ids)
        said = (f"{cell.row}, {cell.column}", str(cell.data), str(cell.hardware))
        lines.append(f"| {' | '.join(map(escaped, said))} | {runs} |")
    return "\n".join([*lines, "", "</details>"])
