"""Heat maps of a sweep: the best trial of every basis order and scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize

from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv
from structnets.figures.trials.finished import finished_trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ("scales", "layer", "sigma", "order", "best", "trials")
_MAP = "viridis"


def draw_heatmap(
    trials: Sequence[dict[str, Any]],
    stem: Stem,
    *,
    title: str,
    value_label: str,
    note: str,
    value: str = "accuracy",
) -> list[Path]:
    """Draw order against sigma, one panel per layer and number of scales.

    A panel's cell holds the best value of the trials with that order and that sigma in that
    layer, whatever the other layers' sigmas, and how many trials those were. Empty cells were
    not tried.

    Parameters
    ----------
    trials : sequence of dict
        Each with ``orders`` and ``sigmas`` (one per layer), ``scales`` and `value`, which is
        None for a trial that failed.
    stem : Stem
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
    cells = _cells(finished, value)
    scales, layers = _distinct(cells, "scales"), _distinct(cells, "layer")
    size = (1.6 + 2.3 * len(layers), 1.2 + 2.1 * len(scales))
    with figure(len(scales), len(layers), size, squeeze=False, sharey=True) as (drawing, axes):
        span = _span(cells)
        for row, scale in zip(axes, scales, strict=True):
            for panel, layer in zip(row, layers, strict=True):
                _draw_panel(panel, cells, scale, layer, span)
            row[0].set_ylabel("basis order")
        for panel in axes[-1]:
            panel.set_xlabel("σ (pixels)")
        drawing.colorbar(ScalarMappable(span, _MAP), ax=axes, label=value_label, shrink=0.9)
        headline(drawing, title)
        footnote(drawing, f"{note} · a cell: its best trial (number of trials)")
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, cells)]


def _distinct(cells: Sequence[dict[str, Any]], key: str) -> list[Any]:
    return sorted({cell[key] for cell in cells})


def _span(cells: Sequence[dict[str, Any]]) -> Normalize:
    """Return the range of colours that all panels share."""
    values = [cell["best"] for cell in cells]
    return Normalize(min(values), max(values))


def _cells(trials: Sequence[dict[str, Any]], value: str) -> list[dict[str, Any]]:
    """Group trials by number of scales, layer, sigma of that layer and order of that layer."""
    groups: dict[tuple[int, int, float, int], list[float]] = {}
    for trial in trials:
        layers = zip(trial["sigmas"], trial["orders"], strict=True)
        for layer, (sigma, order) in enumerate(layers, start=1):
            key = (int(trial["scales"]), layer, float(sigma), int(order))
            groups.setdefault(key, []).append(float(trial[value]))
    return [
        dict(zip(_COLUMNS, (*key, max(values), len(values)), strict=True))
        for key, values in sorted(groups.items())
    ]


def _draw_panel(
    axes: Axes,
    cells: Sequence[dict[str, Any]],
    scale: int,
    layer: int,
    span: Normalize,
) -> None:
    """Draw one panel; its axes name the values of all panels of its row or column."""
    orders = _distinct(cells, "order")
    sigmas = _distinct([cell for cell in cells if cell["layer"] == layer], "sigma")
    grid = np.full((len(orders), len(sigmas)), np.nan)
    for cell in cells:
        if (cell["scales"], cell["layer"]) != (scale, layer):
            continue
        place = (orders.index(cell["order"]), sigmas.index(cell["sigma"]))
        grid[place] = cell["best"]
        words = f"{cell['best']:.1f}\n({cell['trials']})"
        colour = "white" if float(span(cell["best"])) < 0.5 else "black"
        axes.text(place[1], place[0], words, ha="center", va="center", fontsize=7.5, color=colour)
    axes.imshow(grid, norm=span, cmap=_MAP, origin="lower", aspect="auto")
    axes.set_xticks(range(len(sigmas)), labels=[f"{sigma:g}" for sigma in sigmas])
    axes.set_yticks(range(len(orders)), labels=[str(order) for order in orders])
    axes.set_title(f"layer {layer}, {scale} scale{'s' * (scale != 1)}")
    axes.grid(visible=False)
