"""Estimating a score: squared errors are learned, mean absolute errors reported, in its units."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples
from structnets.forms.answers import answers_of
from structnets.forms.tasks import Measurement
from structnets.metrics.regression import scores_of_estimates
from structnets.specs.resolved import ResolvedSpec


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
            As `structnets.forms.answers.answers_of` says.
        """
        answers, targets = answers_of(model, examples, device)
        said, true = answers[:, 0], targets[:, 0]
        estimates, scores = (self.mean + self.deviation * part for part in (said, true))
        loss = float(np.mean(np.square(said - true)))
        metrics = {**scores_of_estimates(scores, estimates), "loss": loss}
        return Measurement(metrics, {"estimates": estimates.tolist()})


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Estimation:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    mean, deviation, *_ = manifest["units"][spec["seed"]]
    return Estimation(mean, deviation)
