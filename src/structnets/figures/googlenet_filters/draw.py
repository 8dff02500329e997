"""Filters of a trained GoogLeNet, from its first layers to its last (Figure 3).

The weights are the user's: a file of torchvision's ``googlenet``. Without it the figure says so.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structnets.figures.style import GREY, Stem, figure, footnote, headline, save
from structnets.training.tensor_files import load_tensors

WEIGHTS_VARIABLE = "STRUCTNETS_GOOGLENET"
_SHOWN = 8  # filters of a layer
_MOST_LAYERS = 14


def draw_googlenet_filters(stem: Stem, *, title: str) -> list[Path]:
    """Draw random filters of every few layers, or why they are not there.

    Parameters
    ----------
    stem : Stem
        ``.svg`` and ``.png`` alone are written.
    title : str
        Of the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If the file that STRUCTNETS_GOOGLENET names holds no convolutions wider than a pixel.
    """
    given = os.environ.get(WEIGHTS_VARIABLE)
    with figure(1, 1, (6.8, 3.6)) as (drawing, axes):
        axes.axis("off")
        if given:
            layers = _spatial_layers(Path(given))
            _draw_layers(axes, layers)
            footnote(drawing, f"{_SHOWN} random filters of each layer, of {Path(given).name}")
        else:
            axes.text(
                *(0.5, 0.5, "not reproduced: needs the weights of a GoogLeNet trained on ImageNet"),
                ha="center",
                color=GREY,
            )
            footnote(
                drawing,
                f"Name a weights file of torchvision's googlenet in {WEIGHTS_VARIABLE} and ask "
                "again with --forcerun figure3.",
            )
        headline(drawing, title)
        return save(drawing, stem)


def _spatial_layers(path: Path) -> list[np.ndarray]:
    """Read the kernels wider than a pixel, in the order of the layers, (out, in, K, K) each."""
    import torch

    state = load_tensors(path)
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} holds a {type(state).__name__}; a state dict is needed")
    kernels = [
        value.float().numpy()
        for value in state.values()
        if torch.is_tensor(value) and value.ndim == 4 and value.shape[-1] > 1
    ]
    if not kernels:
        raise ValueError(f"{path} has no convolution kernel wider than a pixel")
    chosen = np.unique(np.linspace(0, len(kernels) - 1, _MOST_LAYERS).astype(int))
    return [kernels[number] for number in chosen]


def _draw_layers(axes: Any, layers: list[np.ndarray]) -> None:
    """Draw a column per layer, each filter scaled to its largest value."""
    rng = np.random.default_rng(0)
    for column, kernel in enumerate(layers):
        planes = kernel.reshape(-1, *kernel.shape[-2:])
        for row, number in enumerate(rng.integers(len(planes), size=_SHOWN)):
            scale = abs(planes[number]).max() or 1.0
            box = (column, column + 0.9, row + 0.9, row)
            axes.imshow(planes[number], cmap="RdBu_r", vmin=-scale, vmax=scale, extent=box)
    axes.set(xlim=(-0.1, len(layers)), ylim=(_SHOWN, -0.9), aspect="equal")
    axes.text(0.0, -0.3, "first layer", fontsize=8, color=GREY)
    axes.text(len(layers), -0.3, "last layer", fontsize=8, color=GREY, ha="right")
