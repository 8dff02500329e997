"""One option of a sweep against another: the best trial of every combination."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv
from structnets.figures.trials.finished import finished_trials

_MAP = "viridis"


def draw_trial_grid(
    trials: Sequence[dict[str, Any]],
    stem: Stem,
    *,
    x: str,
    y: str,
    title: str,
    value_label: str,
    note: str,
    value: str = "accuracy",
) -> list[Path]:
    """Draw the best value for every pair of two options, as coloured numbers.

    Parameters
    ----------
    trials : sequence of dict
        Each with the options `x` and `y`, and `value`, which is None for a trial that failed.
    stem : Stem
    x, y : str
        Options along the columns and up the rows, ordered by their values.
    title, value_label, note : str
        Words on the figure.
    value : str
        Key of the ranked metric.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If no trial has a value.
    """
    finished = finished_trials(trials, value)
    columns, rows = (_values(finished, option) for option in (x, y))
    best: dict[tuple[int, int], list[float]] = {}
    for trial in finished:
        place = (rows.index(trial[y]), columns.index(trial[x]))
        best.setdefault(place, []).append(float(trial[value]))
    grid = np.full((len(rows), len(columns)), np.nan)
    for place, values in best.items():
        grid[place] = max(values)
    span = Normalize(np.nanmin(grid), np.nanmax(grid))
    with figure(size=(1.8 + 1.1 * len(columns), 1.4 + 0.6 * len(rows))) as (drawing, axes):
        axes.imshow(grid, norm=span, cmap=_MAP, origin="lower", aspect="auto")
        for (row, column), values in best.items():
            colour = "white" if float(span(max(values))) < 0.5 else "black"
            axes.text(column, row, f"{max(values):.1f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(columns)), labels=[_word(v) for v in columns])
        axes.set_yticks(range(len(rows)), labels=[_word(v) for v in rows])
        axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
        axes.grid(visible=False)
        drawing.colorbar(ScalarMappable(span, _MAP), ax=axes, label=value_label)
        headline(drawing, title)
        footnote(drawing, f"{note} · a cell: its best trial")
        files = save(drawing, stem)
    cells = [
        {x: _word(columns[column]), y: _word(rows[row]), "best": max(values), "trials": len(values)}
        for (row, column), values in sorted(best.items())
    ]
    return [*files, save_csv(stem, (x, y, "best", "trials"), cells)]


def _values(trials: Sequence[dict[str, Any]], option: str) -> list[Any]:
    distinct: list[Any] = []
    for trial in trials:
        if trial[option] not in distinct:
            distinct.append(trial[option])
    return sorted(distinct)


def _word(value: Any) -> str:
    return "/".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
