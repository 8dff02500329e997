"""Writes a target's files: tables in four formats, and its figure."""

from __future__ import annotations

from pathlib import Path

from structnets.figures.accuracy_curve.draw import Curve, draw_accuracy_curve
from structnets.files import write_atomic
from structnets.reporting.cells import Cell
from structnets.reporting.formats import to_csv, to_json, to_markdown
from structnets.reporting.page import to_html
from structnets.reporting.rendering import Rendering
from structnets.specs.table import Plot, Row


def write_rendering(rendering: Rendering, results: Path) -> dict[str, Path]:
    """Write ``tables/<target>.*`` and, for a figure, ``figures/<target>.*`` below `results`.

    Returns
    -------
    dict of str to pathlib.Path
        The files, by their path below `results`.
    """
    stem = results / "tables" / rendering.table.target
    contents = {
        ".csv": to_csv(rendering),
        ".json": to_json(rendering),
        ".md": to_markdown(rendering),
        ".html": to_html(rendering),
    }
    files = []
    for ending, content in contents.items():
        path = stem.with_name(stem.name + ending)
        write_atomic(path, content)
        files.append(path)
    if rendering.table.plot is not None:
        files += _draw(rendering, rendering.table.plot, results / "figures" / stem.name)
    return {path.relative_to(results).as_posix(): path for path in files}


def _draw(rendering: Rendering, plot: Plot, stem: Path) -> list[Path]:
    table = rendering.table
    places = {column.key: column.x for column in table.columns if column.x is not None}
    curves = [_curve(rendering, row, places, plot) for row in table.rows]
    return draw_accuracy_curve(
        curves,
        stem,
        x_ticks=sorted(places.values()),
        title=table.title,
        x_label=plot.x_label,
        y_label=plot.y_label,
        note=rendering.provenance(),
    )


def _curve(rendering: Rendering, row: Row, places: dict[str, float], plot: Plot) -> Curve:
    """Collect a row's points; smoke is not drawn beside the thesis."""
    cells = [rendering.cell(row.key, column) for column in places]
    reported = row.reported is not None
    compared = rendering.preset != "smoke" and (reported or row.key in plot.thesis_rows)
    return Curve(
        key=row.key,
        label=row.label,
        measured=[point for cell in cells if (point := _point(cell, places)) is not None],
        thesis=[
            (places[cell.column], cell.thesis)
            for cell in cells
            if compared and cell.thesis is not None
        ],
        reported=reported,
    )


def _point(cell: Cell, places: dict[str, float]) -> tuple[float, float, float | None, int] | None:
    return None if cell.mean is None else (places[cell.column], cell.mean, cell.sd, cell.n)
