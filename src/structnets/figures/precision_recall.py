"""Precision–recall curves of boundary detectors over lines of equal F (Figure 11's benchmark)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from structnets.figures.style import COLOURS, GREY, Stem, figure, footnote, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LEVELS = np.arange(1, 10) / 10


@dataclass(frozen=True)
class PrecisionRecall:
    """The curve of one detector.

    Attributes
    ----------
    label : str
        Words of the legend.
    recall, precision : sequence of float
        One point a threshold, in the thresholds' order.
    best : tuple of float
        Recall and precision of the point of highest F, which is marked.
    """

    label: str
    recall: Sequence[float]
    precision: Sequence[float]
    best: tuple[float, float]


def draw_precision_recall(
    curves: Sequence[PrecisionRecall], stem: Stem, *, title: str, note: str
) -> list[Path]:
    """Draw curves over lines of equal F and write ``<stem>.svg`` and ``.png``.

    Points where nothing is predicted (precision and recall 0 by definition) are not drawn.

    Parameters
    ----------
    curves : sequence of PrecisionRecall
        In the order of the legend.
    stem : Stem
    title, note : str
        Words above and below.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    with figure(size=(5.0, 5.0)) as (drawing, axes):
        place_curves(axes, curves)
        axes.set_title(title)
        footnote(drawing, note)
        return save(drawing, stem)


def place_curves(axes: Axes, curves: Sequence[PrecisionRecall]) -> None:
    """Draw curves over lines of equal F into a part of a larger drawing."""
    _draw_equal_f(axes)
    for number, curve in enumerate(curves):
        colour = COLOURS[number % len(COLOURS)]
        points = np.array([curve.recall, curve.precision])
        drawn = points[:, points.any(axis=0)]
        axes.plot(*drawn, color=colour, label=curve.label, zorder=3)
        axes.plot(*curve.best, "o", color=colour, zorder=4, clip_on=False)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    axes.legend(loc="lower left", frameon=True, framealpha=0.9, edgecolor="none")


def _draw_equal_f(axes: Axes) -> None:
    """Draw precision = F recall / (2 recall - F) for F = .1, .2, …, .9, each line named."""
    for level in _LEVELS:
        recall = np.linspace(level / (2 - level), 1, 200)
        precision = level * recall / (2 * recall - level)
        axes.plot(recall, precision, color=GREY, linewidth=0.6, zorder=1)
        axes.annotate(
            f"F = {level:.1f}",
            (1, precision[-1]),
            xytext=(3, 0),
            textcoords="offset points",
            fontsize=7,
            color=GREY,
            va="center",
        )
