"""Unknown curved transformations, and the translations a net learns for them (Figure 1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save

_STEPS = np.linspace(0.0, 1.0, 6)
_FINE = np.linspace(0.0, 1.0, 60)


def draw_linearization(stem: Stem, *, title: str) -> list[Path]:
    """Draw orbits of two attributes as curves in image space and as a grid in index space.

    Parameters
    ----------
    stem : Stem
        ``.svg`` and ``.png`` alone are written.
    title : str
        Of the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    with figure(1, 2, (6.8, 3.4)) as (drawing, (left, right)):
        _draw_orbits(left, _bend)
        left.set_title("images: unknown transformations $T_A$", fontsize=9)
        _draw_orbits(right, lambda a, b: (a, b))
        right.set_title("index space: translations $T_G$", fontsize=9)
        for axes, labels in ((left, ("", "")), (right, ("attribute $v_1$", "attribute $v_2$"))):
            axes.set(xticks=[], yticks=[], aspect="equal", xlabel=labels[0], ylabel=labels[1])
            axes.margins(0.12)
            axes.grid(visible=False)
        right.annotate(
            "x",
            (-0.09, 0.55),
            (-0.42, 0.55),
            xycoords="axes fraction",
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "->", "color": GREY},
        )
        headline(drawing, title)
        footnote(
            drawing,
            "Schematic: the same points on both sides; the curved map is made up. Orbits of one "
            "attribute in one colour.",
        )
        return save(drawing, stem)


def _bend(first: Any, second: Any) -> tuple[Any, Any]:
    """Take the unit square into a curved strip."""
    angle = 0.35 + 2.1 * first + 0.25 * np.sin(3 * second)
    radius = 0.6 + second + 0.18 * np.sin(5 * first)
    return -radius * np.cos(angle), radius * np.sin(angle)


def _draw_orbits(axes: Any, place: Any) -> None:
    """Draw a lattice of points and the curves that vary one attribute alone."""
    for value in _STEPS:
        along = np.full_like(_FINE, value)
        axes.plot(*place(_FINE, along), color=COLOURS[0], lw=1.2)
        axes.plot(*place(along, _FINE), color=COLOURS[1], lw=1.2)
    first, second = np.meshgrid(_STEPS, _STEPS)
    axes.plot(*place(first.ravel(), second.ravel()), "o", color="black", ms=3)
    across, up = place(np.linspace(_STEPS[1], _STEPS[3], 30), np.full(30, _STEPS[2]))
    axes.plot(across, up, color="black", lw=1.8)
    head = {"arrowstyle": "-|>", "color": "black", "lw": 1.8, "shrinkB": 0}
    axes.annotate("", (across[-1], up[-1]), (across[-3], up[-3]), arrowprops=head, zorder=5)
