"""A rendered table as one HTML page that needs nothing else."""

from __future__ import annotations

from html import escape

from structnets.reporting.cells import Cell
from structnets.reporting.formats import Rendering, gap, notes, number, pooled, spread
from structnets.specs.interpretation import WORDS
from structnets.specs.table import Column, Table

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --soft: #6b6b6b; --line: #d9d9d9;
  --paper: #ffffff; --short: #b3470b; --head: #f5f5f5; }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #9d9d9d; --line: #444;
  --paper: #1c1c1c; --short: #f2a65a; --head: #262626; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  margin: 2rem auto; padding: 0 1.5rem; max-width: 78rem; }
h1 { font-size: 1.35rem; margin-bottom: .3rem; }
p { max-width: 60rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid var(--line); padding: .4rem .7rem; text-align: right;
  white-space: nowrap; vertical-align: top; }
th { background: var(--head); font-weight: 600; }
th[rowspan], tbody th { text-align: left; }
th[colspan] { text-align: center; }
.mean { font-weight: 600; display: block; }
.thesis, .none, .reported, .provenance, li { color: var(--soft); }
.thesis, li { font-size: .85rem; }
tr.quoted th, .reported { font-style: italic; color: var(--soft); }
.short { color: var(--short); font-weight: 600; }
details { margin-top: 1rem; }
code { font-size: .85rem; }
"""


def to_html(rendering: Rendering) -> str:
    """Write the page: matrix of cells, notes, and the runs of each cell, folded.

    Rows the thesis quotes from others are grey and italic, with their source below. Gaps of more
    than half a point below the thesis stand out.
    """
    table = rendering.table
    title, unit = escape(table.title), f", {escape(table.unit)}" if table.unit else ""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>{title}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{_STYLE}</style></head>",
            "<body>",
            f"<h1>{title}</h1>",
            f"<p>{escape(table.caption)}</p>",
            f'<p class="provenance">{escape(rendering.provenance())}. '
            f"Measured: mean ± standard deviation (number of runs){unit}; "
            "below it the thesis' value and the gap to it.</p>",
            '<div class="scroll"><table>',
            *_head(rendering),
            "<tbody>",
            *_body(rendering),
            "</tbody></table></div>",
            "<ul>",
            *(f"<li>{escape(note)}</li>" for note in notes(rendering)),
            "</ul>",
            *_readings(rendering),
            *_runs(rendering),
            "</body></html>",
            "",
        ]
    )


def _head(rendering: Rendering) -> list[str]:
    table = rendering.table
    columns = "".join(f"<th>{escape(column.label)}</th>" for column in table.columns)
    row, column = escape(table.row_label), escape(table.column_label)
    return [
        f'<thead><tr><th rowspan="2">{row}</th>'
        f'<th colspan="{len(table.columns)}">{column}</th></tr>',
        f"<tr>{columns}</tr></thead>",
    ]


def _body(rendering: Rendering) -> list[str]:
    lines, table = [], rendering.table
    for row in table.rows:
        cells = "".join(
            _cell(table, column, rendering.cell(row.key, column.key)) for column in table.columns
        )
        quoted = ' class="quoted"' if row.reported is not None else ""
        label = escape(row.label) + (" (reported)" if quoted else "")
        lines.append(f"<tr{quoted}><th>{label}</th>{cells}</tr>")
    return lines


def _cell(table: Table, column: Column, cell: Cell) -> str:
    digits = table.digits_of(column)
    if cell.status == "reported" and cell.thesis is not None:
        return f'<td class="reported">{number(cell.thesis, digits)}</td>'
    if cell.mean is not None:
        hover = escape(f"{cell.data}, {cell.hardware}: {' '.join(cell.run_ids)}") * bool(cell.n)
        shown = f'<span class="mean" title="{hover}">{spread(cell, digits)}</span>'
        if text := pooled(cell, digits):
            shown += f"{text}<br>"
    else:
        shown = f'<span class="none">{cell.status}</span><br>'
    return f"<td>{shown}{_thesis(cell, digits, table.falls_short(column, cell.gap))}</td>"


def _thesis(cell: Cell, digits: int, short: bool) -> str:
    if cell.thesis is None or cell.preset == "smoke":
        return ""
    text = f"thesis {number(cell.thesis, digits)}"
    if cell.gap is not None:
        mark = ' class="short"' if short else ""
        text = f"{text}, <span{mark}>{gap(cell.gap, digits)}</span>"
    return f'<span class="thesis">{text}</span>'


def _readings(rendering: Rendering) -> list[str]:
    """List how the thesis was read for this target."""
    items = [
        f"<li><b>{escape(one.subject)}</b> ({WORDS[one.kind]}). The thesis: {escape(one.text)} "
        f"Here: {escape(one.done)} Why: {escape(one.why)}</li>"
        for one in rendering.table.interpretations
    ]
    return ["<h2>Readings of the thesis</h2><ul>", *items, "</ul>"] if items else []


def _runs(rendering: Rendering) -> list[str]:
    """List the runs, linked to their results beside the folder of tables."""
    measured = rendering.measured()
    if not measured:
        return []
    lines = ["<details><summary>Runs</summary><table>"]
    lines.append("<tr><th>Cell</th><th>Data</th><th>Hardware</th><th>Runs</th></tr>")
    for cell in measured:
        links = "<br>".join(
            f'<a href="../runs/{run}/result.json"><code>{run}</code></a>' for run in cell.run_ids
        )
        place = escape(f"{cell.row}, {cell.column}")
        lines.append(
            f"<tr><td>{place}</td><td>{cell.data}</td><td>{cell.hardware}</td><td>{links}</td></tr>"
        )
    return [*lines, "</table></details>"]
