"""The look all figures share, and how they are saved."""

from __future__ import annotations

import contextlib
import itertools
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from structnets.files import atomic_path, csv_text, write_atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Path of a figure without ending: `save` appends ``.svg`` and ``.png``, `save_csv` ``.csv``.
Stem: TypeAlias = Path

# Okabe and Ito's colours, told apart by colour-blind readers too; the yellow is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
GREY = "#7f7f7f"
_DASHES = ("-", "--", "-.", (0, (1, 1)))
_LETTERS = {"headline": 12, "footnote": 18}  # per inch
_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "savefig.dpi": 200,
    "svg.hashsalt": "structnets",
    "svg.fonttype": "path",
}


@contextlib.contextmanager
def figure(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.0), **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Yield a figure and its axes in the common style, without pyplot's global state.

    Parameters
    ----------
    rows, columns : int
        Grid of axes; always yielded as an array when there is more than one.
    size : tuple of float
        Width and height in inches.
    **options
        Of ``Figure.subplots``.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        drawing = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(drawing)
        yield drawing, drawing.subplots(rows, columns, **options)


def lines(*, marked: bool = False) -> Iterator[dict[str, Any]]:
    """Yield keywords of as many lines as are asked for; after all colours the dashes change.

    Parameters
    ----------
    marked : bool
        Points have a marker by colour.
    """
    for number in itertools.count():
        round_, place = divmod(number, len(COLOURS))
        look = {"color": COLOURS[place], "linestyle": _DASHES[round_ % len(_DASHES)]}
        yield {**look, "marker": MARKERS[place]} if marked else look


def plain(text: str) -> str:
    """Return somebody's words as a figure writes them: without this, $ begins a formula."""
    return text.replace("$", r"\$")


def headline(drawing: Figure, text: str) -> None:
    """Write bold lines above everything, none longer than the figure is wide."""
    shown = _wrapped(drawing, text, "headline")
    drawing.suptitle(shown, x=0.01, ha="left", fontsize=10, fontweight="bold")


def footnote(drawing: Figure, text: str) -> None:
    """Write small grey lines below everything, none longer than the figure is wide."""
    shown = _wrapped(drawing, text, "footnote")
    drawing.supxlabel(shown, x=0.01, ha="left", fontsize=7, color=GREY)


def _wrapped(drawing: Figure, text: str, kind: str) -> str:
    width = int(_LETTERS[kind] * drawing.get_figwidth())
    return "\n".join(line for part in text.splitlines() for line in textwrap.wrap(part, width))


def legend_beside(axes: Axes, handles: Sequence[Any]) -> None:
    """Place the legend to the right of the data, top aligned, in the order of the handles."""
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def save(drawing: Figure, stem: Stem) -> list[Path]:
    """Write ``<stem>.svg`` and ``<stem>.png`` atomically, without date or software version.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    nothing = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}
    paths = []
    # Axes of equal aspect shrink when they are laid out: only a second pass places what is around.
    drawing.draw_without_rendering()
    for kind, metadata in nothing.items():
        path = stem.with_name(f"{stem.name}.{kind}")
        with atomic_path(path) as temporary:
            drawing.savefig(temporary, format=kind, metadata=metadata)
        paths.append(path)
    return paths


def save_csv(stem: Stem, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write the drawn numbers to ``<stem>.csv`` atomically; None becomes an empty field."""
    path = stem.with_name(f"{stem.name}.csv")
    write_atomic(path, csv_text(names, rows))
    return path
