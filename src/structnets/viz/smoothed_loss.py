"""Training losses of several runs, smoothed over iterations (thesis Figure 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from structnets.viz.style import COLOURS, figure, footnote, legend_beside, save, save_csv

_POINTS = 500


def moving_average(values: Sequence[float], window: int) -> NDArray[np.float64]:
    """Return the mean of every `window` successive values, shape (N - window + 1,).

    Raises
    ------
    ValueError
        If `window` is below one or exceeds the number of values.
    """
    if not 1 <= window <= len(values):
        raise ValueError(f"window must be from 1 to the {len(values)} values, got {window}")
    sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype=np.float64))])
    return (sums[window:] - sums[:-window]) / window


def draw_smoothed_loss(
    losses: Mapping[str, Sequence[float]],
    stem: Path,
    *,
    title: str,
    note: str = "",
    window: int = 100,
) -> list[Path]:
    """Draw the moving average of every run's loss against the iteration.

    Parameters
    ----------
    losses : mapping of str to sequence of float
        One loss per iteration.
    stem : pathlib.Path
        Path without ending; ``.svg``, ``.png`` and ``.csv`` are written.
    title, note : str
        Words on the figure.
    window : int
        Iterations averaged; a shorter run is averaged over a tenth of its iterations.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    rows, handles = [], []
    with figure() as (drawing, axes):
        for (name, values), colour in zip(losses.items(), COLOURS, strict=False):
            width = min(window, max(1, len(values) // 10))
            smooth = moving_average(values, width)
            steps = np.arange(width, len(values) + 1)
            handles += axes.plot(steps, smooth, color=colour, label=f"{name} (over {width})")
            chosen = np.unique(np.linspace(0, len(smooth) - 1, _POINTS).round().astype(int))
            rows += [
                {"run": name, "step": int(steps[i]), "loss": float(smooth[i]), "window": width}
                for i in chosen
            ]
        axes.set(title=title, xlabel="iteration", ylabel="training loss (cross-entropy)")
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, ("run", "step", "loss", "window"), rows)]
