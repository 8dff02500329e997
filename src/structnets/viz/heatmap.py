"""Heat maps of a sweep: the best trial of every basis order and scale."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from structnets.viz.style import figure, footnote, save, save_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLUMNS = ("scales", "layer", "sigma", "order", "best", "trials")


def draw_heatmap(
    trials: Sequence[dict[str, Any]],
    stem: Path,
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
    stem : pathlib.Path
        Path without ending; ``.svg``, ``.png`` and ``.csv`` are written.
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
    finished = [trial for trial in trials if trial.get(value) is not None]
    if not finished:
        raise ValueError(f"none of the {len(trials)} trials has a value of {value!r}")
    cells = _cells(finished, value)
    scales = sorted({cell["scales"] for cell in cells})
    layers = sorted({cell["layer"] for cell in cells})
    orders = sorted({cell["order"] for cell in cells})
    limits = (min(cell["best"] for cell in cells), max(cell["best"] for cell in cells))
    size = (1.6 + 2.3 * len(layers), 1.2 + 2.1 * len(scales))
    with figure(len(scales), len(layers), size, squeeze=False, sharey=True) as (drawing, axes):
        image = None
        for i, scale in enumerate(scales):
            for j, layer in enumerate(layers):
                chosen = [c for c in cells if (c["scales"], c["layer"]) == (scale, layer)]
                sigmas = sorted({c["sigma"] for c in cells if c["layer"] == layer})
                image = _panel(axes[i, j], chosen, sigmas, orders, limits)
                axes[i, j].set_title(f"layer {layer}, {scale} scale{'s' * (scale != 1)}")
            axes[i, 0].set_ylabel("basis order")
        for panel in axes[-1]:
            panel.set_xlabel("σ (pixels)")
        drawing.colorbar(image, ax=axes, label=value_label, shrink=0.9)
        drawing.suptitle(title, fontsize=10, fontweight="bold", x=0.01, ha="left")
        footnote(drawing, f"{note} · a cell: its best trial (number of trials)")
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, cells)]


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


def _panel(
    axes: Axes,
    cells: Sequence[dict[str, Any]],
    sigmas: list[float],
    orders: list[int],
    limits: tuple[float, float],
) -> Any:
    grid = np.full((len(orders), len(sigmas)), np.nan)
    for cell in cells:
        grid[orders.index(cell["order"]), sigmas.index(cell["sigma"])] = cell["best"]
    low, high = limits
    image = axes.imshow(grid, vmin=low, vmax=high, cmap="viridis", origin="lower", aspect="auto")
    for cell in cells:
        dark = cell["best"] < (low + high) / 2 or low == high
        axes.text(
            sigmas.index(cell["sigma"]),
            orders.index(cell["order"]),
            f"{cell['best']:.1f}\n({cell['trials']})",
            ha="center",
            va="center",
            fontsize=7.5,
            color="white" if dark else "black",
        )
    axes.set_xticks(range(len(sigmas)), labels=[f"{sigma:g}" for sigma in sigmas])
    axes.set_yticks(range(len(orders)), labels=[str(order) for order in orders])
    axes.grid(visible=False)
    return image
