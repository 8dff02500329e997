"""`Rendering`: a table with its cells, as it is shown whatever the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from structnets.reporting.cells import Cell
from structnets.specs.table import Column, Table


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

    def apart(self, column: str) -> bool:
        """Say whether a column's thesis values stand in a column of their own.

        They do where a measured cell is not comparable: no thesis value stands beside it.
        """
        cells = [cell for cell in self.cells if cell.column == column]
        return (
            self.preset != "smoke"
            and any(cell.thesis is not None for cell in cells)
            and any(cell.status == "measured" and not cell.comparable for cell in cells)
        )

    def is_quoted(self, cell: Cell, of_thesis: bool) -> bool:
        """Say whether a place shows a number of the thesis alone, ours being nowhere near."""
        quoted = cell.status == "reported" and not self.apart(cell.column)
        return of_thesis or (quoted and cell.thesis is not None)

    def heads(self) -> list[tuple[Column, bool]]:
        """List the columns as they are shown; True marks those of thesis values alone."""
        shown = []
        for column in self.table.columns:
            shown.append((column, False))
            if self.apart(column.key):
                shown.append((column, True))
        return shown

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
        if self.proves_wiring:
            parts.append("proves the wiring, not comparable with the thesis")
        elif self.preset == "smoke":
            parts.append("built-in data, nothing of the thesis")
        return " · ".join(parts)

    @property
    def proves_wiring(self) -> bool:
        """Whether the cells only say that their runs went through: few steps on built-in data."""
        return self.preset == "smoke" and not self.table.result_in_smoke


def head(column: Column, of_thesis: bool) -> str:
    """Return the head of a column, or of the thesis values beside it."""
    return f"{column.label}, thesis: full protocol" if of_thesis else column.label
