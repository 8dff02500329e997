"""A measure against the number of training pictures of a study, with intervals over its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from structnets.figures.style import GREY, Stem, figure, legend_beside, lines, plain, save

Point = tuple[int, float, float, float]
"""Number of pictures, mean, and the ends of its interval."""
_DODGE = 1.03  # factor on x between neighbouring curves, so that intervals stand side by side


def draw_study_curve(
    curves: Mapping[str, Sequence[Point]],
    measure: str,
    stem: Stem,
    *,
    beside: Mapping[str, float] | None = None,
    top: float | None = None,
) -> list[Path]:
    """Draw a curve for each row, and what stands beside them.

    Parameters
    ----------
    curves : mapping of str to sequence of Point
        By the row's title, sizes ascending.
    measure : str
        What is measured, and what the bars are, for the axis.
    stem : Stem
        Of ``.svg`` and ``.png``.
    beside : mapping of str to float, optional
        What is the same for any number of pictures, by its title.
    top : float, optional
        End of the axis; by default above all bars.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    sizes = sorted({point[0] for points in curves.values() for point in points})
    with figure(size=(7.4, 4.0)) as (drawing, axes):
        handles = []
        looks = lines(marked=True)
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
                    **next(looks),
                    capsize=3,
                    elinewidth=1.0,
                    label=plain(title),
                    zorder=3,
                )
            )
        for title, value in (beside or {}).items():
            handles.append(axes.axhline(value, color=GREY, linestyle="--", label=title))
        axes.set(xlabel="training pictures", ylabel=plain(measure), xscale="log")
        axes.set_ylim(0, top)
        axes.set_xlim(min(sizes) / 1.3, max(sizes) * 1.3)
        axes.set_xticks(sizes, labels=[f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
        legend_beside(axes, handles)
        return save(drawing, stem)
