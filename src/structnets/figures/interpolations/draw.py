"""Sequences of images decoded between pairs (thesis Figure 20)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from structnets.figures.style import Stem, figure, footnote, headline, save, save_csv


def draw_interpolations(
    sequences: Sequence[tuple[str, NDArray[np.floating], Sequence[float]]],
    stem: Stem,
    *,
    title: str,
    note: str = "",
) -> list[Path]:
    """Draw one row of images per pair.

    Parameters
    ----------
    sequences : sequence of (label, images, t)
        Images of shape (K, C, H, W) with 1 or 3 channels, shown from 0 (black) to 1 and cut
        beyond; t of shape (K,) is where on the line they lie. All rows have the same K.
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
        If there is no row, the rows differ in length, or an image has other channels.
    """
    lengths = {len(images) for _, images, _ in sequences}
    if len(lengths) != 1:
        raise ValueError(f"sequences must be rows of one length, got lengths {sorted(lengths)}")
    (columns,) = lengths
    rows = []
    size = (0.9 * columns + 0.8, 0.95 * len(sequences) + 0.6)
    with figure(len(sequences), columns, size, squeeze=False) as (drawing, axes):
        for line, (label, images, t) in zip(axes, sequences, strict=True):
            for i, (panel, image) in enumerate(zip(line, images, strict=True)):
                panel.imshow(_shown(image), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                panel.set(xticks=[], yticks=[])
                panel.set_title(f"t = {t[i]:.2f}", fontsize=6, loc="center", pad=2)
                outside = float(np.mean((image < 0) | (image > 1)))
                rows.append({"sequence": label, "t": float(t[i]), "share_outside": outside})
            line[0].set_ylabel(label, fontsize=7)
        headline(drawing, title)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, ("sequence", "t", "share_outside"), rows)]


def _shown(image: NDArray[np.floating]) -> NDArray[np.floating]:
    if image.ndim != 3 or image.shape[0] not in (1, 3):
        raise ValueError(f"images must have shape (1 or 3, H, W), got {image.shape}")
    return np.clip(image.transpose(1, 2, 0).squeeze(), 0, 1)
