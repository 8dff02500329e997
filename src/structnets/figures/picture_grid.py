"""Rows of pictures under named columns: images, maps of strength, angles and outlines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.figures.style import GREY, Stem, figure, footnote, headline, save

Kind = Literal["image", "magnitude", "strength", "angle", "signed"]
_INCH = 1.15  # height of a row
# Angles have a circular colour map: -pi and pi look alike. A magnitude is shown up to its own
# largest value, a signed map from minus to plus its own.
_LOOKS: dict[str, dict[str, Any]] = {
    "image": {"cmap": "gray", "vmin": 0, "vmax": 1},
    "magnitude": {"cmap": "gray_r", "vmin": 0},
    "strength": {"cmap": "gray_r", "vmin": 0, "vmax": 1},
    "angle": {"cmap": "twilight", "vmin": -math.pi, "vmax": math.pi},
    "signed": {"cmap": "RdBu_r"},
}


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes
    ----------
    pixels : numpy.ndarray
        (H, W), or (H, W, 3) for an image in colours.
    kind : {'image', 'magnitude', 'strength', 'angle', 'signed'}
        How it is shown.
    """

    pixels: np.ndarray
    kind: Kind


@dataclass(frozen=True)
class PictureRow:
    """A row; None leaves a place empty."""

    label: str
    panels: Sequence[Panel | None]


def draw_picture_grid(
    columns: Sequence[str], rows: Sequence[PictureRow], stem: Stem, *, title: str, note: str
) -> list[Path]:
    """Draw rows of pictures and write ``<stem>.svg`` and ``.png``.

    Parameters
    ----------
    columns : sequence of str
        Words above.
    rows : sequence of PictureRow
        With as many panels as there are columns.
    stem : Stem
    title, note : str
        Words above and below.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If a row has another number of panels.
    """
    size = (_INCH * len(columns) + 0.4, _INCH * len(rows) + 0.7)
    with figure(size=size) as (drawing, axes):
        place_pictures(axes, columns, rows)
        headline(drawing, title)
        footnote(drawing, note)
        return save(drawing, stem)


def place_pictures(place: Any, columns: Sequence[str], rows: Sequence[PictureRow]) -> None:
    """Put rows of pictures in the place of axes, which are removed.

    Raises
    ------
    ValueError
        If a row has another number of panels than there are columns.
    """
    drawing, spec = place.figure, place.get_subplotspec()
    grid = spec.subgridspec(len(rows), len(columns))
    place.remove()
    for number, row in enumerate(rows):
        if len(row.panels) != len(columns):
            raise ValueError(
                f"row {row.label!r} has {len(row.panels)} panels, expected {len(columns)}"
            )
        for column, panel in enumerate(row.panels):
            axes = drawing.add_subplot(grid[number, column])
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set(visible=True, color=GREY, linewidth=0.4)
            if number == 0:
                axes.set_title(columns[column], loc="center", fontsize=8, fontweight="normal")
            if column == 0:
                axes.set_ylabel(row.label, fontsize=8)
            if panel is None:
                axes.set_box_aspect(_shape(row))
                axes.spines[:].set_visible(False)
            else:
                axes.imshow(panel.pixels, interpolation="nearest", **_look(panel))


def _look(panel: Panel) -> dict[str, Any]:
    look = dict(_LOOKS[panel.kind])
    if panel.kind == "signed":
        largest = float(np.abs(panel.pixels).max())
        look |= {"vmin": -largest, "vmax": largest}
    return look


def _shape(row: PictureRow) -> float:
    """Return height over width of a row's pictures."""
    sizes = (panel.pixels.shape for panel in row.panels if panel is not None)
    height, width, *_ = next(sizes, (1, 1))
    return height / width
