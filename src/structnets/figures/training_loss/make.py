"""Figure 18: training losses."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np

from structnets.analysis.trained import Trained
from structnets.figures.context import Context, Measured
from structnets.figures.training_loss.draw import MeanLoss, draw_mean_losses
from structnets.figures.training_loss.options import TrainingLoss
from structnets.training.loss_record import WINDOW
from structnets.training.stated_result import read_result


def training_loss(context: Context, options: TrainingLoss) -> list[Measured]:
    """Draw the training loss of every run against the iteration.

    The thesis' curves are moving averages over 100 iterations; these are the means of every 100
    iterations that a training records, or of its epochs where it has fewer.
    """
    losses = {run.label: mean_losses(run) for run in context.runs}
    draw_mean_losses(losses, context.stem, title=context.title, note=context.note)
    first, *others = context.runs
    return [
        Measured(f"{run.key}.final_loss", losses[run.label][-1].loss, losses[run.label][-1].over)
        for run in context.runs
    ] + [
        Measured(f"{run.key}.apart", *found)
        for run in others
        if (found := apart(losses[first.label], losses[run.label]))
    ]


def apart(first: Sequence[MeanLoss], other: Sequence[MeanLoss]) -> tuple[float, int] | None:
    """Measure the area between two curves, in percent of that below the first.

    Returns
    -------
    tuple of float and int, or None
        The share, and the number of the first's iterations that it is over: those that both
        curves span; None if there are none. Between the means of `other` a straight line is taken.
    """
    both = [one for one in first if other[0].step <= one.step <= other[-1].step]
    if not both:
        return None
    places, values = [one.step for one in other], [one.loss for one in other]
    between = [
        abs(float(np.interp(one.step, places, values)) - one.loss) * one.over for one in both
    ]
    below = sum(one.loss * one.over for one in both)
    return 100 * sum(between) / below, sum(one.over for one in both)


def mean_losses(run: Trained) -> list[MeanLoss]:
    """Read the mean training losses of a run.

    Raises
    ------
    ValueError
        If it has none, since it was not trained by gradients.
    """
    windows = read_result(run.folder / "result.json").get("losses") or []
    if windows:
        return [MeanLoss(WINDOW * (i + 1), loss, WINDOW) for i, loss in enumerate(windows)]
    with (run.folder / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{run.folder / 'curves.csv'} is empty: {run.run_id} has no training loss")
    steps = [0, *(int(float(row["step"])) for row in rows)]
    return [
        MeanLoss(after, float(row["train_loss"]), after - before)
        for before, after, row in zip(steps[:-1], steps[1:], rows, strict=True)
    ]
