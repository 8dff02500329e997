"""A rendered table as CSV, JSON and Markdown (HTML: `structnets.reporting.page`)."""

from __future__ import annotations

import csv
import io

from structnets.files import json_text
from structnets.reporting.cells import Cell
from structnets.reporting.freshness import STALE
from structnets.reporting.interpretations import section
from structnets.reporting.markdown import code, escaped, without_html
from structnets.reporting.notes import markdown_notes
from structnets.reporting.numbers import gap, number
from structnets.reporting.rendering import Rendering, head
from structnets.specs.table import Column

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
    "comparable",
    "differs",
    "chance",
    "untrained",
    "thesis",
    "gap",
    "hardware",
    "stale",
    "run_ids",
)


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
        lists = {"run_ids": " ".join(cell.run_ids), "differs": "; ".join(cell.differs)}
        writer.writerow({**cell.as_dict(), **labels, **lists})
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
    heads = rendering.heads()
    lines = [
        f"| {corner} | " + " | ".join(escaped(head(*one)) for one in heads) + " |",
        "|---|" + "---|" * len(heads),
    ]
    for row in table.rows:
        cells = (
            _markdown_cell(rendering, rendering.cell(row.key, column.key), column, of_thesis)
            for column, of_thesis in heads
        )
        label = escaped(row.label)
        label = f"*{label} (reported)*" if row.reported is not None else label
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _markdown_cell(rendering: Rendering, cell: Cell, column: Column, of_thesis: bool) -> str:
    digits = rendering.table.digits_of(column)
    if rendering.is_quoted(cell, of_thesis):
        return "" if cell.thesis is None else f"*{number(cell.thesis, digits)}*"
    if cell.status == "reported":
        return ""
    measured = f"**{shown(rendering, cell, digits)}**" if cell.mean is not None else cell.status
    return "<br>".join([measured, *beside(rendering, cell, digits)])


def shown(rendering: Rendering, cell: Cell, digits: int) -> str:
    """Write what a cell measured, or in a proof of the wiring only that its runs went through."""
    if rendering.proves_wiring and cell.n:
        return f"ran ({cell.n})"
    return spread(cell, digits)


def beside(rendering: Rendering, cell: Cell, digits: int) -> list[str]:
    """List what stands below a number: pooled score, failure, chance, thesis value and gap."""
    if rendering.proves_wiring:
        return []
    said = [text] if (text := pooled(cell, digits)) else []
    if cell.untrained:
        of_all = f"{cell.untrained} of {cell.n} " if cell.n > 1 else ""
        said.append(f"{of_all}did not train")
    if cell.n and not cell.comparable and cell.chance is not None:
        said.append(f"chance {number(cell.chance, digits)}")
    if cell.thesis is None or rendering.preset == "smoke" or rendering.apart(cell.column):
        return said
    thesis = f"thesis {number(cell.thesis, digits)}"
    if cell.gap is not None:
        thesis = f"{thesis}, {gap(cell.gap, digits)}"
    return [*said, thesis]


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
