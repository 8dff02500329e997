"""Estimates against scores of people or pictures, a panel for each row of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from structnets.figures.style import COLOURS, GREY, Stem, figure, plain, save

_ACROSS, _SIDE, _MARGIN = 3, 3.0, 0.04


def draw_score_scatter(
    scores: np.ndarray, estimates: Mapping[str, np.ndarray], stem: Stem, label: str
) -> Sequence[Path]:
    """Draw one point for each, the line of equality, and the mean of all scores.

    All panels have one scale, which is the same along both axes.

    Parameters
    ----------
    scores : numpy.ndarray
        (N,).
    estimates : mapping
        (N,) in the units of the scores, by row.
    stem : Stem
    label : str
        Name of the score.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    values = np.concatenate([scores, *estimates.values()])
    edge = _MARGIN * float(np.ptp(values))
    ends = [float(values.min()) - edge, float(values.max()) + edge]
    name = plain(label)
    across = min(_ACROSS, len(estimates))
    down = -(-len(estimates) // across)
    size = (_SIDE * across + 0.5, (_SIDE + 0.4) * down)
    with figure(down, across, size=size, squeeze=False) as (drawing, axes):
        for number, panel in enumerate(axes.flat):
            if number >= len(estimates):
                panel.set_axis_off()
                continue
            row, said = list(estimates.items())[number]
            panel.plot(ends, ends, color=GREY, linewidth=1)
            panel.axhline(scores.mean(), color=GREY, linestyle=":", linewidth=1)
            panel.plot(
                scores,
                said,
                "o",
                color=COLOURS[number % len(COLOURS)],
                alpha=0.6,
                markeredgewidth=0,
            )
            panel.set(
                title=plain(row),
                xlabel=name,
                ylabel=f"estimated {name}",
                xlim=ends,
                ylim=ends,
                aspect="equal",
            )
        return save(drawing, stem)
