"""Mean and deviation of the weights of every atom, by layer (thesis Figure 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from structnets.figures.style import (
    COLOURS,
    MARKERS,
    Stem,
    figure,
    footnote,
    headline,
    save,
    save_csv,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CROWD = 20  # atoms whose names do not fit at an angle
_COLUMNS = ("network", "layer", "atom", "mean", "sd")


@dataclass(frozen=True)
class LayerWeights:
    """Weights of one layer over all its effective filters.

    Attributes
    ----------
    name : str
        Of the layer.
    atoms : sequence of str
        Names of the atoms.
    mean, sd : ndarray, shape (M,)
        Of the weights' magnitudes.
    """

    name: str
    atoms: Sequence[str]
    mean: NDArray[np.floating]
    sd: NDArray[np.floating]


def draw_atom_weights(
    networks: Mapping[str, Sequence[LayerWeights]], stem: Stem, *, title: str, note: str
) -> list[Path]:
    """Draw one panel per layer, a row of panels per network.

    Parameters
    ----------
    networks : mapping of str to sequence of LayerWeights
        The layers of each network in order.
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
    if not networks or not all(networks.values()):
        raise ValueError(f"networks must have layers to draw, got {list(networks)}")
    depth = max(len(layers) for layers in networks.values())
    with figure(depth, len(networks), (7.0, 1.9 * depth + 0.6), squeeze=False) as (drawing, axes):
        for side, (label, layers) in enumerate(networks.items()):
            for number, layer in enumerate(layers):
                _draw_layer(axes[number, side], layer, number)
                heading = layer.name if len(networks) == 1 else f"{label}, {layer.name}"
                axes[number, side].set_title(heading, fontsize=8)
            for panel in axes[len(layers) :, side]:
                panel.set_visible(False)
            axes[len(layers) - 1, side].set_xlabel("derivative (and scale)", fontsize=8)
        drawing.supylabel("magnitude of the weights", fontsize=9)
        headline(drawing, title)
        footnote(drawing, f"{note}\nmean, bars: one deviation over all effective filters")
        files = save(drawing, stem)
    rows: list[dict[str, Any]] = [
        dict(zip(_COLUMNS, (label, layer.name, atom, f"{m:.6g}", f"{s:.6g}"), strict=True))
        for label, layers in networks.items()
        for layer in layers
        for atom, m, s in zip(layer.atoms, layer.mean, layer.sd, strict=True)
    ]
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _draw_layer(panel: Axes, layer: LayerWeights, number: int) -> None:
    places = np.arange(len(layer.atoms))
    below = np.minimum(layer.sd, layer.mean)  # a magnitude is never below zero
    panel.errorbar(
        places,
        layer.mean,
        (below, layer.sd),
        color=COLOURS[number % len(COLOURS)],
        marker=MARKERS[number % len(MARKERS)],
        markersize=3.5,
        linestyle="none",
        capsize=2,
        linewidth=1,
    )
    crowded = len(layer.atoms) > _CROWD
    panel.set_xticks(
        places, labels=layer.atoms, rotation=90 if crowded else 45, fontsize=5.5 if crowded else 7
    )
    panel.set_ylim(bottom=0)
