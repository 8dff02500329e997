"""The figure of a sweep, in the form its file asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets.figures.style import Stem
from structnets.figures.trials.heatmap import draw_heatmap
from structnets.figures.trials.pareto import draw_pareto
from structnets.figures.trials.trial_grid import draw_trial_grid

_COSTS = {"parameters": "trained parameters", "step_s": "seconds per training step"}


def draw_trials(
    drawing: Mapping[str, Any],
    trials: Sequence[dict[str, Any]],
    stem: Stem,
    *,
    title: str,
    value_label: str,
    note: str,
) -> list[Path]:
    """Draw the trials of a sweep.

    Parameters
    ----------
    drawing : mapping
        ``kind``, ``x`` and ``y`` as `structnets.specs.sweep.Drawing` has them.
    trials : sequence of dict
        Each with its model options and ``accuracy``, None if it failed; for the kind ``pareto``
        also ``parameters`` and ``step_s``.
    stem : Stem
    title, value_label, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    words = {"title": title, "value_label": value_label, "note": note}
    kind, x, y = drawing["kind"], drawing["x"], drawing["y"]
    if kind == "layers":
        return draw_heatmap(trials, stem, **words)
    if kind == "grid":
        return draw_trial_grid(trials, stem, x=x, y=y, **words)
    named = [{**trial, "group": f"{x} {trial[x]}", "label": str(trial[y])} for trial in trials]
    return draw_pareto(named, stem, costs=_COSTS, **words)
