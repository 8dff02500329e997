"""Figure 8: an orthonormal basis and a tight frame of the plane, with one filter in both."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from structnets.bases.frames import Frame
from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save, save_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILTER = (0.75, 0.4)
_COLUMNS = ("frame", "vector", "x", "y", "smallest_coefficient", "other_coefficient")


def plane_frames() -> tuple[Frame, Frame]:
    """Return the standard basis of the plane, and three vectors at 120 degrees, bounds 1."""
    angles = np.pi / 2 + 2 * np.pi * np.arange(3) / 3
    three = np.sqrt(2 / 3) * np.stack([np.cos(angles), np.sin(angles)], 1)
    return (
        Frame("orthonormal basis", np.eye(2)[:, None], ("u1", "u2")),
        Frame("tight frame", three[:, None], ("u1", "u2", "u3")),
    )


def draw_frames_plane(
    stem: Stem, *, filter_at: tuple[float, float] = FILTER, title: str = "Frames of the plane"
) -> list[Path]:
    """Draw both frames, the filter as a dot, and how it is composed.

    The steps from the origin to the dot are coefficients times vectors: solid the smallest
    coefficients (those of the dual frame), dashed others that make the same filter, which only
    the overcomplete frame has.

    Parameters
    ----------
    stem : Stem
    filter_at : pair of float
        The filter, a point of the plane.
    title : str
        Of the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    rows: list[dict[str, Any]] = []
    with figure(1, 2, (6.8, 3.9)) as (drawing, axes):
        for letter, panel, frame in zip("ab", axes, plane_frames(), strict=True):
            compositions = _compositions(frame, filter_at)
            _draw_panel(panel, frame, filter_at, compositions)
            lower, upper = frame.bounds
            panel.set_title(f"{letter}) {frame.name}, bounds {lower:.3g} and {upper:.3g}")
            rows += _rows(frame, compositions)
        headline(drawing, title)
        footnote(
            drawing,
            "dot: a filter · solid: its smallest coefficients · dashed: others of the same filter",
        )
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _compositions(frame: Frame, filter_at: tuple[float, float]) -> list[np.ndarray]:
    """Return the smallest coefficients, and others where the frame is overcomplete."""
    smallest = frame.analyse(np.array([filter_at]))
    if len(frame) == frame.rank:
        return [smallest]
    nothing = np.linalg.svd(frame.matrix.T)[2][-1]
    return [smallest, smallest + 0.5 * nothing / np.abs(nothing).max()]


def _rows(frame: Frame, compositions: list[np.ndarray]) -> list[dict[str, Any]]:
    rows = []
    for m, (label, (x, y)) in enumerate(zip(frame.labels, frame.matrix, strict=True)):
        values = [round(float(c[m]), 6) for c in compositions] + [None]
        vector = (frame.name, label, round(float(x), 6), round(float(y), 6))
        rows.append(dict(zip(_COLUMNS, (*vector, *values[:2]), strict=True)))
    return rows


def _draw_panel(
    axes: Axes,
    frame: Frame,
    filter_at: tuple[float, float],
    compositions: list[np.ndarray],
) -> None:
    for label, vector, colour in zip(frame.labels, frame.matrix, COLOURS, strict=False):
        arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.8, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", vector, (0, 0), arrowprops=arrow)
        x, y = 1.13 * vector
        axes.text(x, y, label, color=colour, ha="center", va="center")
    for coefficients, line in zip(compositions, ("-", "--"), strict=False):
        steps = np.cumsum(coefficients[:, None] * frame.matrix, 0)
        path = np.concatenate([np.zeros((1, 2)), steps])
        for (x0, y0), (x1, y1), colour in zip(path[:-1], path[1:], COLOURS, strict=False):
            axes.plot([x0, x1], [y0, y1], line, color=colour, lw=1.0)
    axes.plot(*filter_at, "o", color="black")
    axes.plot(0, 0, "+", color=GREY)
    axes.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
