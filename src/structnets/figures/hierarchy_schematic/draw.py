"""A plain and a hierarchical attribute convolution side by side, as a drawing (Figure 12)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAPS = 7
TOUCHED = (1, 2, 3)  # the maps that the hierarchical filter's support covers
_OFFSET = (0.36, 0.34)  # of a map from the one behind it
_WIDTH, _HEIGHT = 1.7, 1.5


def draw_hierarchy_schematic(stem: Stem) -> list[Path]:
    """Draw how an output value is made: from all maps, or from neighbouring ones.

    Parameters
    ----------
    stem : Stem
        ``.svg`` and ``.png`` alone are written.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    with figure(1, 2, (7.6, 3.6)) as (drawing, axes):
        _draw_layer(axes[0], range(MAPS), COLOURS[1])
        axes[0].set_title("CNN: convolution along u,\nany weights over channels v")
        axes[0].text(5.3, 4.0, "v: no order", fontsize=8, color=GREY, ha="center")
        _draw_layer(axes[1], TOUCHED, COLOURS[0])
        axes[1].set_title("HCNN: one convolution\nalong (u, $v_j$)")
        axes[1].annotate(
            "",
            (6.6, 4.2),
            (4.5, 2.1),
            arrowprops={"arrowstyle": "->", "color": GREY},
        )
        axes[1].text(5.2, 3.4, "$v_j$", fontsize=9, color=GREY, ha="center")
        axes[1].text(
            -0.2, 4.1, "the same filter\nat every (u, $v_j$)", fontsize=8, color=COLOURS[0]
        )
        footnote(drawing, "Schematic of Figure 12: filled squares are one filter's support.")
        return save(drawing, stem)


def _draw_layer(axes: Axes, touched: tuple[int, ...] | range, colour: str) -> None:
    """Draw input maps, one filter's support on the `touched` ones, and output maps."""
    _draw_stack(axes, 0.0, touched, colour, 0.28)
    _draw_stack(axes, 4.6, (TOUCHED[1],), colour, 0.16)
    for number in touched:
        axes.annotate(
            "",
            _centre(4.6, TOUCHED[1]),
            _centre(0.0, number),
            arrowprops={"arrowstyle": "-", "color": colour, "alpha": 0.6, "linewidth": 0.9},
            zorder=20,
        )
    for x, name in ((0.0, "$x_{j-1}$"), (4.6, "$x_j$")):
        axes.text(x + _WIDTH / 2, -0.45, name, ha="center", fontsize=10)
    axes.set(xlim=(-0.3, 8.7), ylim=(-0.8, 5.0), aspect="equal")
    axes.axis("off")


def _draw_stack(
    axes: Axes, x: float, marked: tuple[int, ...] | range, colour: str, side: float
) -> None:
    """Draw maps from the back to the front, a filled square on the `marked` ones."""
    from matplotlib.patches import Rectangle

    for number in reversed(range(MAPS)):
        left, bottom = x + number * _OFFSET[0], number * _OFFSET[1]
        depth = MAPS - number
        axes.add_patch(
            Rectangle(
                (left, bottom), _WIDTH, _HEIGHT, facecolor="white", edgecolor=GREY, zorder=depth
            )
        )
        if number in marked:
            centre = _centre(x, number)
            corner = (centre[0] - side / 2, centre[1] - side / 2)
            axes.add_patch(
                Rectangle(corner, side, side, facecolor=colour, alpha=0.85, zorder=depth + 0.5)
            )


def _centre(x: float, number: int) -> tuple[float, float]:
    """Return where the filter lies on a map: in the corner that no map in front hides."""
    return x + number * _OFFSET[0] + 0.18, number * _OFFSET[1] + _HEIGHT - 0.17
