"""Accuracy against the number of training pictures of a study, with intervals over its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from structnets.figures.style import COLOURS, GREY, MARKERS, Stem, figure, legend_beside, save

Point = tuple[int, float, float, float]
"""Number of pictures, mean, and the ends of its interval, in percent."""
_DODGE = 1.03  # factor on x between neighbouring curves, so that intervals stand side by side


def draw_study_curve(
    curves: Mapping[str, Sequence[Point]], majority: float, interval: str, stem: Stem
) -> list[Path]:
    """Draw a curve for each row, and the rate of always answering the most frequent class.

    Parameters
    ----------
    curves : mapping of str to sequence of Point
        By the row's title, sizes ascending.
    majority : float
        In percent.
    interval : str
        What the bars are, for the axis.
    stem : Stem
        Of ``.svg`` and ``.png``.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    sizes = sorted({point[0] for points in curves.values() for point in points})
    with figure(size=(7.4, 4.0)) as (drawing, axes):
        handles = []
        for number, (title, points) in enumerate(curves.items()):
            shift = _DODGE ** (number - (len(curves) - 1) / 2)
            x, mean, low, high = (list(column) for column in zip(*points, strict=True))
            below = [middle - end for middle, end in zip(mean, low, strict=True)]
            above = [end - middle for middle, end in zip(mean, high, strict=True)]
            handles.append(
                axes.errorbar(
                    [shift * value for value in x],
                    mean,
                    yerr=[below, above],
                    color=COLOURS[number % len(COLOURS)],
                    marker=MARKERS[number % len(MARKERS)],
                    capsize=3,
                    elinewidth=1.0,
                    label=title.replace("$", r"\$"),
                    zorder=3,
                )
            )
        handles.append(
            axes.axhline(majority, color=GREY, linestyle="--", label="most frequent class")
        )
        axes.set(xlabel="training pictures", ylabel=f"right answers, %\n{interval}", xscale="log")
        axes.set_ylim(0, 103)
        axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
        axes.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
        legend_beside(axes, handles)
        return save(drawing, stem)
