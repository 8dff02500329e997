"""Telling classes apart, with the answer for every tested picture or scan kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples
from structnets.forms.classification import Classification
from structnets.forms.tasks import Measurement
from structnets.forms.workers import Workers
from structnets.specs.resolved import ResolvedSpec


class _Recording(nn.Module):
    """A model that keeps what it answered."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.answers: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        answer = self.model(x)
        self.answers.append(answer.float().log_softmax(1).double())
        return answer


class RecordedClassification(Classification):
    """As `Classification`; the details also have ``probabilities`` of every tested image."""

    @torch.no_grad()
    def measure(self, model: nn.Module, examples: Examples, device: torch.device) -> Measurement:
        """Measure `model` in evaluation mode; every worker gets the same result.

        Returns
        -------
        Measurement
            As of `Classification`; ``probabilities`` (images, classes), in the order of the
            split, and the metric ``balanced_accuracy`` in percent: the mean over the
            classes of the part that is right.
        """
        recording = _Recording(model)
        measured = super().measure(recording, examples, device)
        logs, workers = torch.cat(recording.answers), Workers.current()
        shared = torch.zeros(len(examples), logs.shape[1], dtype=torch.float64, device=device)
        shared[workers.rank :: workers.size] = logs.exp()
        confusion = np.array(measured.details["confusion"])
        there = confusion.sum(1) > 0
        balanced = 100 * float(np.mean((confusion.diagonal() / confusion.sum(1).clip(1))[there]))
        details = {"probabilities": np.round(workers.sum(shared).cpu().numpy(), 6).tolist()}
        return replace(
            measured,
            metrics={**measured.metrics, "balanced_accuracy": balanced},
            details={**measured.details, **details},
        )


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> RecordedClassification:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    return RecordedClassification()
