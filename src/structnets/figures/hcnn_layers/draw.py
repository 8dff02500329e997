"""The sizes of a network's inner arrays, drawn as boxes and as a table (Figure 13)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from structnets.figures.style import COLOURS, Stem, figure, footnote, save, save_csv

_COLUMNS = ("layer", "u1", "u2", "attributes", "numbers")


def draw_layer_sizes(
    layers: Sequence[tuple[str, Sequence[int]]], stem: Stem, *, title: str, note: str
) -> list[Path]:
    """Draw one bar per layer, as high as it has spatial places, its sizes written on it.

    Parameters
    ----------
    layers : sequence of (name, sizes)
        In order; sizes are (u1, u2, attribute values ...).
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
        If there is no layer.
    """
    if not layers:
        raise ValueError("layers must name at least one layer")
    rows = []
    for name, sizes in layers:
        numbers = 1
        for size in sizes:
            numbers *= size
        attributes = " x ".join(str(size) for size in sizes[2:])
        rows.append(dict(zip(_COLUMNS, (name, *sizes[:2], attributes, numbers), strict=True)))
    with figure(size=(0.7 * len(layers) + 1.2, 3.4)) as (drawing, axes):
        before = None
        for place, row in enumerate(rows):
            shape = (row["u1"], row["u2"], row["attributes"])
            colour = COLOURS[0] if shape != before else COLOURS[4]
            axes.bar(place, row["u1"], width=0.72, color=colour)
            words = f"{row['u1']}×{row['u2']}\n" + row["attributes"].replace(" x ", "×")
            if shape != before:  # as in the thesis: only where the size changes
                axes.text(place, row["u1"] + 0.6, words, ha="center", fontsize=7)
            before = shape
        axes.set_xticks(range(len(rows)), labels=[row["layer"] for row in rows])
        axes.set(title=title, ylabel="u1 (pixels)")
        axes.margins(y=0.16)
        axes.grid(visible=False, axis="x")
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]


def draw_hcnn_layers(stem: Stem, *, title: str, side: int = 32) -> list[Path]:
    """Draw the layers of the hierarchical attribute CNN for CIFAR-10 (Figure 13).

    Parameters
    ----------
    stem : Stem
    title : str
        Of the figure.
    side : int
        Width of the images in pixels.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    import torch

    from structnets.models.hcnn import hcnn

    net = hcnn().eval()
    with torch.no_grad():
        arrays = net.arrays(torch.zeros(1, net.in_channels, side, side))
        layers = [(f"x{j}", tuple(array.shape[1:])) for j, array in enumerate(arrays, start=1)]
    return draw_layer_sizes(layers, stem, title=title, note=f"hcnn, images of {side} × {side}")
