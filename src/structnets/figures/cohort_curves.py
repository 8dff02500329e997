"""ROC and calibration of the rows of a study of a cohort, beside one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from structnets.figures.style import GREY, Stem, figure, legend_beside, lines, plain, save
from structnets.metrics.held_out import calibration, roc_points


def draw_cohort_curves(
    labels: np.ndarray, probabilities: Mapping[str, np.ndarray], stem: Stem, positive: str
) -> Sequence[Path]:
    """Draw both.

    Parameters
    ----------
    labels : numpy.ndarray
        (N,) 0 or 1.
    probabilities : mapping
        (N,) of the second class, by row.
    stem : Stem
    positive : str
        Name of the second class.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    called = plain(positive)
    with figure(1, 2, size=(8.6, 3.8)) as (drawing, (roc, stated)):
        handles = []
        for look, (row, chance) in zip(lines(), probabilities.items(), strict=False):
            false, true = roc_points(labels, chance)
            handles += roc.plot(100 * false, 100 * true, **look, label=plain(row))
            mean, part, count = zip(*calibration(labels, chance), strict=True)
            stated.plot(mean, part, **look, marker="o", linewidth=1)
            for x, y, n in zip(mean, part, count, strict=True):
                stated.annotate(str(n), (x, y), (3, 3), textcoords="offset points", fontsize=7)
        roc.plot([0, 100], [0, 100], color=GREY, linestyle=":")
        stated.plot([0, 1], [0, 1], color=GREY, linestyle=":")
        roc.set(
            title="ROC",
            xlabel=f"others called {called} (%)",
            ylabel=f"{called} called {called} (%)",
            aspect="equal",
        )
        stated.set(
            title="Calibration",
            xlabel=f"stated probability of {called}",
            ylabel=f"part that is {called}",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
            aspect="equal",
        )
        legend_beside(stated, handles)
        return save(drawing, stem)
