"""Memory of a training step against depth, one curve per way to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from structnets.viz.style import COLOURS, MARKERS, figure, footnote, legend_beside, save, save_csv


def draw_memory_growth(
    peaks: Mapping[str, Sequence[tuple[int, float]]], stem: Path, *, title: str, note: str = ""
) -> list[Path]:
    """Draw peak memory against blocks per stage.

    Parameters
    ----------
    peaks : mapping of str to sequence of (blocks, megabytes)
        Per way to train.
    stem : pathlib.Path
        Path without ending; ``.svg``, ``.png`` and ``.csv`` are written.
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    handles = []
    with figure() as (drawing, axes):
        for (way, points), colour, marker in zip(peaks.items(), COLOURS, MARKERS, strict=False):
            x, y = zip(*points, strict=True)
            handles += axes.plot(x, y, color=colour, marker=marker, label=way)
        axes.set(title=title)
        axes.set(xlabel="blocks per stage", ylabel="peak memory of a step (MB)")
        ticks = sorted({blocks for points in peaks.values() for blocks, _ in points})
        axes.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        axes.set_ylim(bottom=0)
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    rows = [
        {"way": way, "blocks": blocks, "megabytes": megabytes}
        for way, points in peaks.items()
        for blocks, megabytes in points
    ]
    return [*files, save_csv(stem, ("way", "blocks", "megabytes"), rows)]
