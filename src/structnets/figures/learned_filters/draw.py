"""Learned filters beside the basis that they are mixtures of (thesis Figure 2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv

_COLUMNS = ("network", "layer", "filter", "channel", "row", "column", "value")
_GAP = 1  # pixels between tiles


@dataclass(frozen=True)
class FilterPanel:
    """Filters of one layer.

    Attributes
    ----------
    label, layer : str
        Of the network, and name of the layer in it.
    atoms : ndarray, shape (M, K, K)
        The basis.
    names : sequence of str
        Of the atoms.
    filters : ndarray, shape (F, C, K, K)
        Shown in colour if C is 3, otherwise the mean over C.
    numbers : sequence of int
        Which output channels of the layer they are.
    """

    label: str
    layer: str
    atoms: NDArray[np.floating]
    names: Sequence[str]
    filters: NDArray[np.floating]
    numbers: Sequence[int] | NDArray[np.integer]


def draw_learned_filters(
    panels: Sequence[FilterPanel], stem: Stem, *, title: str, note: str
) -> list[Path]:
    """Draw a row per network: the basis on the left, filters on the right.

    Parameters
    ----------
    panels : sequence of FilterPanel
        One per network.
    stem : Stem
        The ``.csv`` holds the filters.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    ValueError
        If there is no panel or a panel has no filter.
    """
    if not panels or any(len(panel.filters) == 0 for panel in panels):
        raise ValueError(f"panels must hold filters; got {len(panels)} panels")
    size = (6.6, 2.7 * len(panels) + 0.6)
    with figure(len(panels), 2, size, squeeze=False) as (drawing, axes):
        for (left, right), panel in zip(axes, panels, strict=True):
            columns = math.ceil(math.sqrt(len(panel.atoms)))
            _show(left, tiled(in_grey(panel.atoms), columns))
            left.set_title(f"{panel.label}: basis of {len(panel.atoms)}", fontsize=9)
            across = math.ceil(math.sqrt(1.6 * len(panel.filters)))
            _show(right, tiled(in_colour(panel.filters), across))
            right.set_title(f"{len(panel.filters)} filters of {panel.layer}", fontsize=9)
        headline(drawing, title)
        footnote(drawing, f"{note}\neach tile scaled to its largest value; grey is zero")
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, _rows(panels))]


def in_grey(tiles: NDArray[np.floating]) -> NDArray[np.floating]:
    """Scale each tile (N, K, K) to 0..1 around zero at 0.5; returns (N, K, K, 3)."""
    return np.repeat(_scaled(tiles)[..., None], 3, axis=-1)


def in_colour(filters: NDArray[np.floating]) -> NDArray[np.floating]:
    """Turn filters (N, C, K, K) into pictures (N, K, K, 3), in colour where C is 3."""
    if filters.shape[1] != 3:
        return in_grey(filters.mean(1))
    return _scaled(filters).transpose(0, 2, 3, 1)


def _scaled(tiles: NDArray[np.floating]) -> NDArray[np.floating]:
    flat = np.abs(tiles).reshape(len(tiles), -1).max(1)
    largest = np.where(flat > 0, flat, 1).reshape(-1, *[1] * (tiles.ndim - 1))
    return 0.5 + 0.5 * tiles / largest


def tiled(pictures: NDArray[np.floating], columns: int) -> NDArray[np.floating]:
    """Arrange pictures (N, K, K, 3) in rows of `columns`, white between them."""
    count, height, width, _ = pictures.shape
    rows = math.ceil(count / columns)
    sheet = np.ones((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, 3))
    for number, picture in enumerate(pictures):
        row, column = divmod(number, columns)
        top, left = row * (height + _GAP), column * (width + _GAP)
        sheet[top : top + height, left : left + width] = picture
    return sheet


def _show(axes: Any, sheet: NDArray[np.floating]) -> None:
    axes.imshow(sheet, vmin=0, vmax=1, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.set_anchor("NW")
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _rows(panels: Sequence[FilterPanel]) -> list[dict[str, Any]]:
    rows = []
    for panel in panels:
        for number, filtered in zip(panel.numbers, panel.filters, strict=True):
            for (channel, y, x), value in np.ndenumerate(filtered):
                cell = (panel.label, panel.layer, int(number), channel, y, x, f"{value:.6g}")
                rows.append(dict(zip(_COLUMNS, cell, strict=True)))
    return rows
