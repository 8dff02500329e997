"""Saying of each label whether a picture has it: a binary cross-entropy each."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.data.batches.examples import Examples
from structnets.forms.answers import answers_of
from structnets.forms.tasks import Measurement
from structnets.metrics.multilabel import scores_of_labels
from structnets.specs.resolved import ResolvedSpec


class Labelling:
    """The task of images with any number of labels each; the net answers (B, labels), logits."""

    metric = "map"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum, over images and labels, of the binary cross-entropies.

        Of an image this is minus the log-probability of its set of labels, with labels that do not
        depend on each other.

        Parameters
        ----------
        outputs : Tensor, shape (B, labels)
            Logits.
        targets : Tensor, shape (B, labels)
            1 where an image has a label, else 0.
        """
        return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="sum")

    def measure(self, model: nn.Module, examples: Examples, device: torch.device) -> Measurement:
        """Measure `model` in evaluation mode; every worker gets the same result.

        Returns
        -------
        Measurement
            What `structnets.metrics.multilabel.scores_of_labels` says, in percent, and ``loss``,
            the mean over images. The details are ``logits`` (images, labels), to four decimals, in
            the order of the split.

        Raises
        ------
        ValueError
            As `structnets.forms.answers.answers_of` says.
        """
        logits, targets = answers_of(model, examples, device)
        loss = self.loss(torch.from_numpy(logits), torch.from_numpy(targets)) / len(logits)
        # What is kept is what is measured: other digits may rank other pictures first.
        kept = np.round(logits, 4)
        scores = scores_of_labels(targets.astype(np.uint8), kept)
        return Measurement({**scores, "loss": float(loss)}, {"logits": kept.tolist()})


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Labelling:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    return Labelling()
