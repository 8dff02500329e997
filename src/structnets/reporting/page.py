"""A rendered table as one HTML page that needs nothing else."""

from __future__ import annotations

from structnets import pages
from structnets.reporting.formats import beside, shown
from structnets.reporting.notes import notes
from structnets.reporting.numbers import number
from structnets.reporting.rendering import Rendering, head
from structnets.specs.interpretation import WORDS


def to_html(rendering: Rendering) -> str:
    """Write the page: matrix of cells, notes, and the runs of each cell, folded.

    Rows the thesis quotes from others are grey and italic, with their source below. Gaps of more
    than half a point below the thesis stand out.
    """
    return pages.page(
        "structnets.reporting",
        "table.html",
        rendering=rendering,
        table=rendering.table,
        notes=notes(rendering),
        measured=rendering.measured(),
        words=WORDS,
        number=number,
        shown=shown,
        beside=beside,
        head=head,
    )
