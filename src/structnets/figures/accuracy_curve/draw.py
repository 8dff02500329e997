"""Accuracy against the number of training images, measured beside the thesis (Figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.figures.style import (
    COLOURS,
    GREY,
    MARKERS,
    Stem,
    figure,
    footnote,
    legend_beside,
    save,
    save_csv,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ("row", "label", "x", "mean", "sd", "n", "thesis", "source")
_DODGE = 1.02  # factor on x between neighbouring curves, so that error bars stand side by side


@dataclass(frozen=True)
class Curve:
    """One row of the figure.

    Attributes
    ----------
    key, label : str
        Short name, and the words of the legend.
    measured : list of tuple
        ``(x, mean, sd, n)`` per measured point; sd is None for one run.
    thesis : list of tuple
        ``(x, value)`` per point of the thesis; empty if its curve is not to be drawn.
    reported : bool
        Whether the thesis quotes these values from others; drawn grey.
    """

    key: str
    label: str
    measured: list[tuple[float, float, float | None, int]] = field(default_factory=list)
    thesis: list[tuple[float, float]] = field(default_factory=list)
    reported: bool = False


def draw_accuracy_curve(
    curves: Sequence[Curve],
    stem: Stem,
    *,
    x_ticks: Sequence[float],
    title: str,
    x_label: str,
    y_label: str,
    note: str,
) -> list[Path]:
    """Draw curves and write ``<stem>.svg``, ``.png`` and ``.csv``.

    Measured points have bars of one standard deviation over seeds; the thesis' curves are dashed,
    in the colour of the same row.

    Parameters
    ----------
    curves : sequence of Curve
        In the order of the legend.
    stem : Stem
    x_ticks : sequence of float
        Numbers of images the axis names.
    title, x_label, y_label : str
        Words on the figure.
    note : str
        Footnote: preset, number of runs, hardware.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    drawn = [curve for curve in curves if curve.measured or curve.thesis]
    with figure(size=(7.4, 4.2)) as (drawing, axes):
        handles = []
        for number, curve in enumerate(drawn):
            colour = GREY if curve.reported else COLOURS[number % len(COLOURS)]
            shift = _DODGE ** (number - (len(drawn) - 1) / 2)
            if curve.measured:
                marker = MARKERS[number % len(MARKERS)]
                handles.append(_draw_measured(axes, curve, colour, marker, shift))
            if curve.thesis:
                handles.append(_draw_thesis(axes, curve, colour))
        axes.set(title=title, xlabel=x_label, ylabel=y_label, xscale="log")
        axes.set_xlim(min(x_ticks) / 1.25, max(x_ticks) * 1.25)
        axes.set_xticks(x_ticks, labels=[f"{x:,.0f}" for x in x_ticks], rotation=30)
        axes.set_xticks([], minor=True)
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, _points(curves))]


def _draw_measured(axes: Axes, curve: Curve, colour: str, marker: str, shift: float) -> Any:
    x, mean, deviation, _ = zip(*curve.measured, strict=True)
    return axes.errorbar(
        [shift * value for value in x],
        mean,
        yerr=[float("nan") if value is None else value for value in deviation],
        color=colour,
        marker=marker,
        capsize=3,
        elinewidth=1.0,
        label=f"{curve.label}, measured",
        zorder=3,
    )


def _draw_thesis(axes: Axes, curve: Curve, colour: str) -> Any:
    x, value = zip(*curve.thesis, strict=True)
    style, words = (":", "reported") if curve.reported else ("--", "thesis")
    (line,) = axes.plot(
        x, value, style, color=colour, linewidth=1.1, label=f"{curve.label}, {words}", zorder=2
    )
    return line


def _points(curves: Sequence[Curve]) -> list[dict[str, Any]]:
    rows = []
    for curve in curves:
        measured = {x: (mean, deviation, n) for x, mean, deviation, n in curve.measured}
        thesis = dict(curve.thesis)
        for x in sorted(measured.keys() | thesis.keys()):
            mean, deviation, n = measured.get(x, (None, None, 0))
            source = "reported" if curve.reported else "thesis"
            values = (curve.key, curve.label, f"{x:g}", mean, deviation, n, thesis.get(x), source)
            rows.append(dict(zip(_COLUMNS, values, strict=True)))
    return rows
