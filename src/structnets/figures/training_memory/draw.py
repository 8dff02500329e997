"""Memory of a training step against depth, one curve per way to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from structnets.figures.style import (
    Stem,
    figure,
    footnote,
    legend_beside,
    lines,
    save,
    save_csv,
)


class StepCost(NamedTuple):
    """What a training step takes.

    Attributes
    ----------
    blocks : int
        Per stage of the net.
    megabytes : float
        Peak memory, weights and gradients apart.
    seconds : float
        Time.
    """

    blocks: int
    megabytes: float
    seconds: float


def draw_memory_growth(
    costs: Mapping[str, Sequence[StepCost]], stem: Stem, *, title: str, note: str = ""
) -> list[Path]:
    """Draw peak memory against blocks per stage.

    Parameters
    ----------
    costs : mapping of str to sequence of StepCost
        Per way to train, at growing depth; times are stated as multiples of the first way's.
    stem : Stem
    title, note : str
        Words on the figure.

    Returns
    -------
    list of pathlib.Path
        The files.
    """
    first = next(iter(costs.values()))
    ratios = {
        way: [one.seconds / plain.seconds for one, plain in zip(points, first, strict=True)]
        for way, points in costs.items()
    }
    handles = []
    with figure() as (drawing, axes):
        for (way, points), look in zip(costs.items(), lines(marked=True), strict=False):
            x, y = [one.blocks for one in points], [one.megabytes for one in points]
            label = way if points is first else f"{way}\n({ratios[way][-1]:.2f} × the time)"
            handles += axes.plot(x, y, **look, label=label)
        axes.set(title=title)
        axes.set(xlabel="blocks per stage", ylabel="peak memory of a step (MB)")
        ticks = [one.blocks for one in first]
        axes.set_xticks(ticks, labels=[str(tick) for tick in ticks])
        axes.set_ylim(bottom=0)
        legend_beside(axes, handles)
        footnote(drawing, note)
        files = save(drawing, stem)
    rows = [
        {"way": way, **one._asdict(), "time_ratio": ratio}
        for way, points in costs.items()
        for one, ratio in zip(points, ratios[way], strict=True)
    ]
    return [*files, save_csv(stem, ("way", *StepCost._fields, "time_ratio"), rows)]
