"""What is to be said below a table: sources, uncertain values, what is reduced, what is stale."""

from __future__ import annotations

from structnets.cohorts.decisions import COUNTED
from structnets.reporting.freshness import stale_note
from structnets.reporting.markdown import escaped
from structnets.reporting.rendering import Rendering
from structnets.reporting.row_differences import row_differences


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
        said.append(f"Thesis value of {_places(rows)}: {note}.")
    for cell in rendering.cells:
        if cell.refusal:
            row, column = table.row(cell.row).label, table.column(cell.column).label
            said.append(f"{row} at {column}: {cell.refusal}.")
    said += different_versions(rendering)
    scans = {cell.data: cell.counts for cell in rendering.cells if cell.counts}
    for data, counts in scans.items():
        words = [f"{counts[key]} {key}" for key in COUNTED if key in counts]
        said.append(f"Scans of {data}: {', '.join(words)}.")
    said += differing(rendering)
    if uncommitted := sorted({run for cell in rendering.cells for run in cell.uncommitted}):
        said.append(f"Measured with changes that were not committed: {', '.join(uncommitted)}.")
    if any(cell.untrained for cell in rendering.cells):
        said.append(
            "Did not train: the loss on the test images stayed at ln C, which guessing among C "
            "classes gives (ln 2 for outlines), and the accuracy at chance."
        )
    if any(cell.pooled is not None for cell in rendering.cells):
        said.append("Pooled: over the predictions of all folds of a cross-validation at once.")
    said += row_differences(rendering)
    if any(cell.stale for cell in rendering.cells):
        said.append(stale_note("a run in this cell"))
    return said


def different_versions(rendering: Rendering) -> list[str]:
    """Say which cells were measured on which version of the same prepared data, if on several."""
    found: dict[str, dict[str, dict[str, list[str]]]] = {}
    for cell in rendering.cells:
        if cell.version is not None:
            name, digest = cell.version
            row, column = rendering.table.row(cell.row), rendering.table.column(cell.column)
            rows = found.setdefault(name, {}).setdefault(digest, {})
            rows.setdefault(row.label, []).append(column.label)
    return [
        f"Not to be compared, since they were measured on {len(versions)} versions of {name}: "
        + "; ".join(f"data {digest[:12]}: {_places(rows)}" for digest, rows in versions.items())
        + ". Train all of them on one version."
        for name, versions in found.items()
        if len(versions) > 1
    ]


def differing(rendering: Rendering) -> list[str]:
    """Say of measured cells that are not comparable how they differ from the full protocol."""
    if rendering.preset == "smoke":
        return []
    places: dict[str, dict[str, list[str]]] = {}
    for cell in rendering.measured():
        if cell.differs:
            row, column = rendering.table.row(cell.row), rendering.table.column(cell.column)
            rows = places.setdefault("; ".join(cell.differs), {})
            rows.setdefault(row.label, []).append(column.label)
    return [
        f"Reduced, and so compared with no number of the thesis, are {_places(rows)}: {how}."
        for how, rows in places.items()
    ]


def _places(rows: dict[str, list[str]]) -> str:
    return "; ".join(f"{label} at {', '.join(columns)}" for label, columns in rows.items())


def markdown_notes(rendering: Rendering) -> str:
    """Write the notes as a list."""
    return "\n".join(f"- {escaped(note)}" for note in notes(rendering))
