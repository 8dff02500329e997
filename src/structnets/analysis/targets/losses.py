"""Figure 18: training losses."""

from __future__ import annotations

import csv

from structnets.analysis.context import Context, Measured, Trained
from structnets.analysis.options import TrainingLoss
from structnets.viz.mean_loss import MeanLoss, draw_mean_losses


def training_loss(context: Context, options: TrainingLoss) -> list[Measured]:
    """Draw the training loss of every run against the iteration.

    A run's ``curves.csv`` holds the mean over the iterations of each epoch: no other smoothing
    takes place here, where the thesis has a moving average over 100.
    """
    losses = {run.label: epoch_losses(run) for run in context.runs}
    draw_mean_losses(losses, context.stem, title=context.title, note=context.note)
    return [
        Measured(f"{run.key}.final_loss", losses[run.label][-1].loss, losses[run.label][-1].over)
        for run in context.runs
    ]


def epoch_losses(run: Trained) -> list[MeanLoss]:
    """Read the mean training loss of every epoch of a run."""
    with (run.folder / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{run.folder / 'curves.csv'} is empty: {run.run_id} has no training loss")
    steps = [0, *(int(row["step"]) for row in rows)]
    return [
        MeanLoss(steps[i + 1], float(row["train_loss"]), steps[i + 1] - steps[i])
        for i, row in enumerate(rows)
    ]
