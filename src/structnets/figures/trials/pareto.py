"""Accuracy against what it costs: which settings no other one beats in both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from structnets.figures.style import (
    COLOURS,
    MARKERS,
    Stem,
    figure,
    footnote,
    headline,
    legend_beside,
    save,
    save_csv,
)
from structnets.figures.trials.finished import finished_trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def pareto_front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return which of the (cost, value) points no other equals or beats in both, by cost.

    Of equal points the first is kept.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    front: list[int] = []
    for index in order:
        if not front or points[index][1] > points[front[-1]][1]:
            front.append(index)
    return front


def draw_pareto(
    trials: Sequence[Mapping[str, Any]],
    stem: Stem,
    *,
    costs: Mapping[str, str],
    title: str,
    value_label: str,
    note: str,
    value: str = "accuracy",
    group: str = "group",
    label: str = "label",
) -> list[Path]:
    """Draw value against each cost, one panel a cost, the front as a line.

    Parameters
    ----------
    trials : sequence of mapping
        Each with `group` (colour and marker, K say), `label` (written beside the point, Q say),
        the costs, and `value`, which is None for a trial that failed; one with `stopped_early`
        is drawn hollow.
    stem : Stem
    costs : mapping of str to str
        Keys of the costs, with the words of their axes; drawn on logarithmic axes.
    title, value_label, note : str
        Words on the figure.
    value, group, label : str
        Keys.

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
    fronts = {
        cost: pareto_front([(float(t[cost]), float(t[value])) for t in finished]) for cost in costs
    }
    size = (3.6 * len(costs) + 1.2, 3.8)
    with figure(1, len(costs), size, squeeze=False, sharey=True) as (drawing, grid):
        handles: list[Any] = []
        for axes, (cost, words) in zip(grid[0], costs.items(), strict=True):
            handles = _draw_panel(axes, finished, fronts[cost], (cost, value, group, label))
            axes.set(xlabel=words, xscale="log")
        grid[0][0].set_ylabel(value_label)
        legend_beside(grid[0][-1], handles)
        headline(drawing, title)
        hollow = " · hollow: stopped early" if any(t.get("stopped_early") for t in finished) else ""
        footnote(drawing, f"{note} · line: no other trial is cheaper and better{hollow}")
        files = save(drawing, stem)
    rows = [
        {group: t[group], label: t[label], value: t[value]}
        | {cost: t[cost] for cost in costs}
        | {f"on_front_{cost}": int(i in fronts[cost]) for cost in costs}
        for i, t in enumerate(finished)
    ]
    return [*files, save_csv(stem, tuple(rows[0]), rows)]


def _draw_panel(
    axes: Axes,
    trials: Sequence[Mapping[str, Any]],
    front: Sequence[int],
    keys: tuple[str, str, str, str],
) -> list[Any]:
    """Draw one panel; return the handles of its groups."""
    cost, value, group, label = keys
    line = [(trials[i][cost], trials[i][value]) for i in front]
    axes.plot(*zip(*line, strict=True), color="black", linewidth=0.8, zorder=1)
    handles = []
    for number, name in enumerate(dict.fromkeys(trial[group] for trial in trials)):
        members = [trial for trial in trials if trial[group] == name]
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        axes.scatter(
            [trial[cost] for trial in members],
            [trial[value] for trial in members],
            marker=marker,
            edgecolors=colour,
            facecolors=["white" if t.get("stopped_early") else colour for t in members],
            zorder=2,
        )
        handles.append(axes.scatter([], [], color=colour, marker=marker, label=str(name)))
        for trial in members:
            axes.annotate(
                str(trial[label]),
                (trial[cost], trial[value]),
                xytext=(4, 3),
                textcoords="offset points",
                fontsize=7,
            )
    return handles
