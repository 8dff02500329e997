"""Images whose invariant arrays are nearest to translated ones (Figures 14 and 15)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save, save_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SAME, OTHER = COLOURS[0], COLOURS[1]
_COLUMNS = ("row", "tau", "image", "class", "same_class", "distance")


@dataclass(frozen=True)
class Found:
    """An image found for one translation of a query.

    Attributes
    ----------
    shift : int
        Translation tau; 0 for the query itself.
    index : int
        Number of the image in the data set.
    picture : ndarray, shape (H, W, 3) or (H, W)
        As imshow takes it.
    label : str
        Name of its class.
    distance : float
        Between its array and the translated one.
    array : ndarray, shape (V_{j-1}, V_j), optional
        Its invariant array.
    """

    shift: int
    index: int
    picture: NDArray[Any]
    label: str
    distance: float
    array: NDArray[Any] | None = None


def draw_translated_images(
    rows: Sequence[tuple[str, Sequence[Found]]],
    stem: Stem,
    *,
    title: str,
    note: str,
    arrays: bool = False,
) -> list[Path]:
    """Draw a row per query (or depth): the query, then what each translation finds.

    Frames tell whether the class stays.

    Parameters
    ----------
    rows : sequence of (label, found images)
        Each begins with the query; all of the same length.
    stem : Stem
    title, note : str
        Words on the figure.
    arrays : bool
        Show each image's invariant array below it (Figure 14), v_{j-1} vertical.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there are no rows, their lengths differ, or arrays are asked for and absent.
    """
    lengths = {len(found) for _, found in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"rows must have one length of at least 1, got {sorted(lengths)}")
    if arrays and any(found.array is None for _, row in rows for found in row):
        raise ValueError("arrays=True needs the invariant array of every image")
    columns, per_row = lengths.pop(), 1 + arrays
    size = (max(0.85 * columns + 1.0, 5.4), 0.95 * per_row * len(rows) + 0.7)
    with figure(per_row * len(rows), columns, size, squeeze=False) as (drawing, axes):
        for number, (label, row) in enumerate(rows):
            for column, found in enumerate(row):
                same = found.label == row[0].label
                _draw_picture(axes[per_row * number, column], found, same, number == 0)
                if arrays:
                    _draw_array(axes[per_row * number + 1, column], found)
            head = axes[per_row * number, 0]
            head.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        headline(drawing, title)
        footnote(drawing, f"{note} · frame: blue, the query's class; orange, another")
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, _points(rows))]


def _draw_picture(axes: Axes, found: Found, same: bool, top: bool) -> None:
    axes.imshow(found.picture, cmap="gray" if found.picture.ndim == 2 else None)
    colour = GREY if found.shift == 0 else SAME if same else OTHER
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=2)
    _bare(axes)
    axes.set_xlabel(found.label, fontsize=6.5, labelpad=1.5, color=colour)
    if top:
        words = "x" if found.shift == 0 else f"τ = {found.shift}"
        axes.set_title(words, loc="center", fontsize=8, fontweight="normal")


def _draw_array(axes: Axes, found: Found) -> None:
    assert found.array is not None
    axes.imshow(np.abs(found.array), cmap="gray", aspect="auto")  # high amplitudes white
    _bare(axes)


def _bare(axes: Axes) -> None:
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)


def _points(rows: Sequence[tuple[str, Sequence[Found]]]) -> list[dict[str, Any]]:
    return [
        dict(
            zip(
                _COLUMNS,
                (
                    label,
                    found.shift,
                    found.index,
                    found.label,
                    int(found.label == row[0].label),
                    f"{found.distance:.6g}",
                ),
                strict=True,
            )
        )
        for label, row in rows
        for found in row
    ]
