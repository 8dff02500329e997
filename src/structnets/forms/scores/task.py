"""Estimating a score: squared errors are learned, mean absolute errors reported, in its units."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples
from structnets.forms.tasks import Measurement
from structnets.forms.workers import Workers
from structnets.metrics.regression import scores_of_estimates
from structnets.specs.resolved import ResolvedSpec

BATCH = 50


class Estimation:
    """The task of images with one score each; the net answers (B, 1), standardised.

    Parameters
    ----------
    mean, deviation : float
        By which the training part's scores were standardised.
    """

    metric = "mae"

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean, self.deviation = mean, deviation

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the images' squared errors, in squared deviations.

        Parameters
        ----------
        outputs : Tensor, shape (B, 1)
            Estimates.
        targets : Tensor, shape (B,)
            Standardised scores.
        """
        return (outputs[:, 0] - targets).square().sum()

    @torch.no_grad()
    def measure(self, model: nn.Module, examples: Examples, device: torch.device) -> Measurement:
        """Measure `model` in evaluation mode; every worker gets the same result.

        Returns
        -------
        Measurement
            ``mae`` and ``rmse`` in the score's units, ``r2`` and ``r`` where they are defined
            (`structnets.metrics.regression`), and ``loss``, the mean squared error in squared
            deviations. The details are ``estimates``, in the score's units, of every image in
            order.

        Raises
        ------
        ValueError
            If there are fewer images than workers, or an estimate is no finite number.
        """
        model.eval()
        workers = Workers.current()
        if len(examples) < workers.size or not len(examples):
            raise ValueError(
                f"{len(examples)} images to evaluate on are too few for {workers.size} workers"
            )
        answers = torch.zeros(2, len(examples), dtype=torch.float64, device=device)
        mine = np.arange(len(examples))[workers.rank :: workers.size]
        for start in range(0, len(mine), BATCH):
            positions = mine[start : start + BATCH]
            x, targets = examples.batch(positions, device)
            places = torch.from_numpy(positions).to(device)
            answers[0, places] = model(x)[:, 0].double()
            answers[1, places] = targets.double()
        said, true = workers.sum(answers).cpu().numpy()
        if wrong := int((~np.isfinite(said)).sum()):
            raise ValueError(f"{wrong} estimates are no finite numbers: the training diverged")
        estimates, scores = (self.mean + self.deviation * part for part in (said, true))
        loss = float(np.mean(np.square(said - true)))
        metrics = {**scores_of_estimates(scores, estimates), "loss": loss}
        return Measurement(metrics, {"estimates": estimates.tolist()})


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Estimation:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    mean, deviation, *_ = manifest["units"][spec["seed"]]
    return Estimation(mean, deviation)
