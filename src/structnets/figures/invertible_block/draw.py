"""The invertible block and its inverse, as a drawing (Figure 16)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, headline, save

_UPPER, _LOWER = 0.8, 0.2


def draw_block(stem: Stem, *, title: str, note: str = "") -> list[Path]:
    """Draw the block of Eq. 39 and its inverse (Figure 16).

    Parameters
    ----------
    stem : Stem
        ``.svg`` and ``.png`` alone are written.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    with figure(2, 1, (6.4, 4.6)) as (drawing, (top, bottom)):
        _draw_coupling(top, "S", "+", _Places(shortcut=3.0, carried=8.0, branch=2.0, sum_at=7.0))
        top.set_title("block: x$_{j+1}$ = S x̃$_j$,  x̃$_{j+1}$ = S x$_j$ + F x̃$_j$", fontsize=9)
        _draw_coupling(
            bottom, "S⁻¹", "−", _Places(shortcut=2.0, carried=8.0, branch=6.5, sum_at=3.5)
        )
        bottom.set_title("its inverse: the same F, subtracted", fontsize=9)
        headline(drawing, title)
        footnote(drawing, note)
        return save(drawing, stem)


class _Places(NamedTuple):
    """Where along the streams S acts on either, F branches off and is added."""

    shortcut: float
    carried: float
    branch: float
    sum_at: float

    @property
    def backwards(self) -> bool:
        return self.sum_at < self.branch


def _draw_coupling(axes: Any, rearrangement: str, sign: str, places: _Places) -> None:
    """Draw two streams, left to right or right to left, and F from the lower to the upper."""
    axes.set(xlim=(0, 10), ylim=(0, 1))
    axes.axis("off")
    ends = {_UPPER: ("x$_j$", "x̃$_{j+1}$"), _LOWER: ("x̃$_j$", "x$_{j+1}$")}
    for row, names in ends.items():
        for x, name in zip((0.3, 9.7), names, strict=True):
            axes.text(x, row, name, ha="center", va="center")
        _arrow(axes, (0.8, row), (9.2, row), places.backwards)
    _box(axes, places.shortcut, _UPPER, rearrangement)
    _box(axes, places.carried, _LOWER, rearrangement)
    axes.plot([places.branch, places.branch, places.sum_at], [_LOWER, 0.5, 0.5], color=GREY, lw=1.2)
    _arrow(axes, (places.sum_at, 0.5), (places.sum_at, 0.73), False)
    _box(axes, (places.branch + places.sum_at) / 2, 0.5, "F", COLOURS[1])
    ring = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": GREY}
    axes.text(places.sum_at, _UPPER, sign, ha="center", va="center", bbox=ring)


def _box(axes: Any, x: float, y: float, text: str, colour: str = COLOURS[0]) -> None:
    box = {"boxstyle": "square,pad=0.35", "fc": "white", "ec": colour, "lw": 1.4}
    axes.text(x, y, text, ha="center", va="center", color=colour, bbox=box)


def _arrow(axes: Any, start: tuple[float, float], end: tuple[float, float], back: bool) -> None:
    style = {"arrowstyle": "<-" if back else "->", "color": GREY, "lw": 1.2}
    axes.annotate("", end, start, arrowprops=style)
