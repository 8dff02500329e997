"""Training losses of several runs, each a mean over some iterations (thesis Figure 18)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.figures.style import Stem, figure, footnote, legend_beside, lines, save, save_csv

_COLUMNS = ("run", "step", "loss", "window")
_FEW = 40  # points up to which they are marked


@dataclass(frozen=True)
class MeanLoss:
    """A mean of training losses.

    Attributes
    ----------
    step : int
        The last iteration in it, from 1.
    loss : float
        The mean.
    over : int
        How many iterations it is over.
    """

    step: int
    loss: float
    over: int


def draw_mean_losses(
    losses: Mapping[str, Sequence[MeanLoss]], stem: Stem, *, title: str, note: str = ""
) -> list[Path]:
    """Draw every run's losses against the iteration.

    Parameters
    ----------
    losses : mapping of str to sequence of MeanLoss
        Per run, ascending.
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
    if not losses or not all(losses.values()):
        raise ValueError(f"losses must hold values of every run, got {list(losses)}")
    handles, rows = [], []
    with figure() as (drawing, axes):
        for (name, means), look in zip(losses.items(), lines(), strict=False):
            windows = sorted({mean.over for mean in means})
            span = "–".join(str(window) for window in dict.fromkeys((windows[0], windows[-1])))
            handles += axes.plot(
                [mean.step for mean in means],
                [mean.loss for mean in means],
                **look,
                marker="o" if len(means) <= _FEW else None,
                markersize=3,
                label=f"{name}\n(mean over {span})",
            )
            rows += [_row(name, mean) for mean in means]
        axes.set(title=title, xlabel="iteration", ylabel="training loss (cross-entropy)")
        axes.set_ylim(bottom=0)
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    return [*files, save_csv(stem, _COLUMNS, rows)]


def _row(name: str, mean: MeanLoss) -> dict[str, Any]:
    return dict(zip(_COLUMNS, (name, mean.step, f"{mean.loss:.6g}", mean.over), strict=True))
