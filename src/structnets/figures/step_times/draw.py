"""Times as multiples of another net's, a line each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from structnets.figures.style import (
    COLOURS,
    GREY,
    Stem,
    figure,
    footnote,
    save,
    save_csv,
)


class TimeRatio(NamedTuple):
    """How many times another net's step a net's takes: median, least and most of the rounds."""

    pair: str
    kind: str
    median: float
    least: float
    most: float


def draw_time_ratios(
    ratios: Sequence[TimeRatio], stem: Stem, *, title: str, note: str = ""
) -> list[Path]:
    """Draw the median of each pair and kind of step, and the range of its rounds.

    Parameters
    ----------
    ratios : sequence of TimeRatio
        From above to below.
    stem : Stem
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    if not ratios:
        raise ValueError("ratios holds nothing to draw")
    places = range(len(ratios))
    with figure(size=(6.4, 1.5 + 0.35 * len(ratios))) as (drawing, axes):
        axes.axvline(1, color=GREY, linewidth=1)
        axes.hlines(places, [r.least for r in ratios], [r.most for r in ratios], COLOURS[0])
        axes.plot([r.median for r in ratios], places, "o", color=COLOURS[0])
        axes.set_yticks(places, labels=[f"{r.pair}, {r.kind}" for r in ratios])
        axes.invert_yaxis()
        axes.margins(y=0.15)
        axes.set(xlabel="time, as a multiple of the other net's", title=title)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, TimeRatio._fields, [r._asdict() for r in ratios])]
