"""A residual block beside a dynamic steerable one (Figure 7)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save

_MIDDLE = 0.0
_BRANCH = 2.2


def draw_blocks(stem: Stem, *, title: str) -> list[Path]:
    """Draw both blocks, from input to output.

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
    with figure(1, 2, (6.4, 3.8)) as (drawing, (left, right)):
        _draw_block(left, None, "+", "$\\mathcal{F}_j$\nconvolutions", "residual")
        left.set_title("static residual block", fontsize=9)
        _draw_block(
            right, "Φ\nsteerable\nframe", "×", "$\\mathcal{F}_j$\npose network", "pose maps"
        )
        right.set_title("dynamic steerable block", fontsize=9)
        headline(drawing, title)
        footnote(
            drawing,
            "Schematic. Left: what the branch computes is added. Right: it says how the frame's "
            "responses are mixed, at every pixel.",
        )
        return save(drawing, stem)


def _draw_block(axes: Any, change: str | None, sign: str, branch: str, carried: str) -> None:
    """Draw input, trunk with an optional change of frame, branch, and their meeting."""
    axes.set(xlim=(-1.3, 3.8), ylim=(-0.4, 6.4), aspect="equal")
    axes.axis("off")
    axes.text(_MIDDLE, -0.15, "$x_{j-1}$", ha="center", va="center")
    axes.text(_MIDDLE, 6.2, "$x_j$", ha="center", va="center")
    _line(axes, [(_MIDDLE, 0.2), (_MIDDLE, 4.3)])
    _line(axes, [(_MIDDLE, 4.9), (_MIDDLE, 5.9)])
    _line(axes, [(_MIDDLE, 0.7), (_BRANCH, 0.7), (_BRANCH, 1.7)])
    _line(axes, [(_BRANCH, 2.5), (_BRANCH, 4.6), (_MIDDLE + 0.32, 4.6)])
    if change:
        _box(axes, _MIDDLE, 2.6, change, COLOURS[0])
    _box(axes, _BRANCH, 2.1, branch, COLOURS[1])
    axes.text(_BRANCH + 0.1, 3.6, carried, fontsize=8, color=GREY)
    ring = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": GREY}
    axes.text(_MIDDLE, 4.6, sign, ha="center", va="center", bbox=ring)


def _line(axes: Any, points: list[tuple[float, float]]) -> None:
    """Draw a broken line that ends in an arrow."""
    *_, before, last = points
    axes.plot(*zip(*points[:-1], strict=True), color=GREY, lw=1.2)
    style = {"arrowstyle": "->", "color": GREY, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", last, before, arrowprops=style)


def _box(axes: Any, x: float, y: float, text: str, colour: str) -> None:
    box = {"boxstyle": "square,pad=0.4", "fc": "white", "ec": colour, "lw": 1.4}
    axes.text(x, y, text, ha="center", va="center", color=colour, bbox=box, fontsize=8, zorder=4)
