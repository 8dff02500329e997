"""Figure 9: the atoms of the frames that filters are learned in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from structnets.bases.frames import Frame, build_frame
from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv

SHOWN = ("pixel", "gaussian", "framelet", "naive")
_COLUMNS = ("frame", "atom", "row", "column", "value")
_TITLES = {
    "pixel": "pixel basis",
    "gaussian": "Gaussian derivatives",
    "framelet": "B-spline framelet",
    "naive": "naive frame",
    "gauss15": "Gaussian derivatives to order 4",
}


def draw_frame_atoms(
    stem: Stem,
    *,
    names: Sequence[str] = SHOWN,
    kernel_size: int = 3,
    title: str = "Sets of filters that span",
) -> list[Path]:
    """Draw the atoms of frames, one panel per frame, with rank, condition and bounds.

    Parameters
    ----------
    stem : Stem
    names : sequence of str
        Of `structnets.bases.frames.FRAMES`.
    kernel_size : int
        Width of the filters in pixels.
    title : str
        Of the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    frames = [build_frame(name, (kernel_size, kernel_size)) for name in names]
    rows: list[dict[str, Any]] = []
    with figure(1, len(frames), (2.2 * len(frames), 2.9), squeeze=False) as (drawing, axes):
        for letter, panel, frame in zip("abcdefgh", axes[0], frames, strict=False):
            _draw_panel(panel, frame)
            panel.set_title(f"{letter}) {_TITLES[frame.name]}", fontsize=8)
            panel.set_xlabel(_properties(frame), fontsize=7)
            rows += _rows(frame)
        headline(drawing, title)
        footnote(
            drawing,
            "atoms of unit norm, each scaled to its largest value; red positive, blue negative",
        )
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _properties(frame: Frame) -> str:
    lower, upper = frame.bounds
    condition = "∞" if math.isinf(frame.condition) else f"{frame.condition:.3g}"
    return (
        f"{len(frame)} atoms, rank {frame.rank}\nbounds {lower:.2g}, {upper:.3g}\n"
        f"condition {condition}"
    )


def _rows(frame: Frame) -> list[dict[str, Any]]:
    rows = []
    for label, atom in zip(frame.labels, frame.atoms, strict=True):
        for y, line in enumerate(atom):
            for x, value in enumerate(line):
                cell = (frame.name, label, y, x, round(float(value), 6))
                rows.append(dict(zip(_COLUMNS, cell, strict=True)))
    return rows


def _draw_panel(panel: Any, frame: Frame) -> None:
    """Tile the atoms, near-square, with a pixel of space between."""
    height, width = frame.kernel_size
    columns = math.ceil(math.sqrt(len(frame)))
    for m, atom in enumerate(frame.atoms):
        row, column = divmod(m, columns)
        left, top = column * (width + 0.5), row * (height + 0.5)
        scale = abs(atom).max()
        box = (left, left + width, top + height, top)
        panel.imshow(atom, cmap="RdBu_r", vmin=-scale, vmax=scale, extent=box)
    rows = math.ceil(len(frame) / columns)
    panel.set(
        xlim=(-0.3, columns * (width + 0.5) - 0.2),
        ylim=(rows * (height + 0.5) - 0.2, -0.3),
        xticks=[],
        yticks=[],
        aspect="equal",
    )
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
