"""Where the pixels of a map go when an invertible net samples down (Figure 17)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from structnets.figures.style import COLOURS, Stem, figure, footnote, headline, save, save_csv
from structnets.nn.space_to_depth import SpaceToDepth


def draw_down_sampling(stem: Stem, *, title: str, note: str = "", side: int = 4) -> list[Path]:
    """Draw where the pixels of one map go, computed from `SpaceToDepth` itself (Figure 17).

    Parameters
    ----------
    stem : Stem
    title, note : str
        Words on the figure.
    side : int
        Of the square map, even.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    numbers = torch.arange(side * side, dtype=torch.float32).reshape(1, 1, side, side)
    moved = SpaceToDepth(2)(numbers)[0]
    offsets = moved.long() // side % 2 * 2 + moved.long() % side % 2
    rows = [
        {"pixel": int(pixel), "channel": channel, "y": y, "x": x}
        for channel, plane in enumerate(moved)
        for y, line in enumerate(plane)
        for x, pixel in enumerate(line)
    ]
    with figure(1, 5, (7.6, 2.2), width_ratios=(2, 1, 1, 1, 1)) as (drawing, axes):
        origin = numbers[0, 0].long()
        _draw_map(axes[0], origin, origin // side % 2 * 2 + origin % side % 2, "one channel")
        for channel in range(4):
            _draw_map(axes[1 + channel], moved[channel], offsets[channel], f"channel {channel}")
        headline(drawing, title)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, ("pixel", "channel", "y", "x"), rows)]


def _draw_map(axes: Any, pixels: torch.Tensor, offsets: torch.Tensor, title: str) -> None:
    """Draw numbered pixels in the colour of their offset in the square they come from."""
    for y, line in enumerate(pixels):
        for x, pixel in enumerate(line):
            colour = COLOURS[int(offsets[y, x])]
            axes.add_patch(_square(x, y, colour))
            axes.text(x + 0.5, y + 0.5, int(pixel), ha="center", va="center", color="white")
    axes.set(xlim=(0, len(pixels)), ylim=(len(pixels), 0), aspect="equal")
    axes.set_title(title, fontsize=8)
    axes.axis("off")


def _square(x: int, y: int, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), 1, 1, facecolor=colour, edgecolor="white", linewidth=2)
