"""Learning to tell classes apart: cross-entropy, accuracy, and the scores of two classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.data.batches.examples import Examples
from structnets.forms.tasks import Measurement
from structnets.forms.workers import Workers
from structnets.metrics import classification
from structnets.metrics.binary import binary_scores
from structnets.specs.resolved import ResolvedSpec

# Few enough for the maps of one layer to stay in a processor's caches; many on a GPU.
CPU_BATCH, GPU_BATCH = 50, 500


class Classification:
    """The task of every data set whose images have one label each."""

    metric = "accuracy"

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the sum of the images' cross-entropies.

        Parameters
        ----------
        outputs : Tensor, shape (B, classes)
            Logits.
        targets : Tensor, shape (B,), int64
            Class indices.
        """
        return functional.cross_entropy(outputs, targets, reduction="sum")

    @torch.no_grad()
    def measure(self, model: nn.Module, examples: Examples, device: torch.device) -> Measurement:
        """Measure `model` in evaluation mode; every worker gets the same result.

        Returns
        -------
        Measurement
            Metrics ``accuracy`` and ``error`` in percent, ``loss`` (mean cross-entropy), and
            with two classes those of `structnets.metrics.binary`; the details are ``confusion``
            (counts, true by predicted) and ``log_odds`` of the second of two classes for every
            image, in order (Table 5 pools them).

        Raises
        ------
        ValueError
            If there are fewer images than workers.
        """
        model.eval()
        workers = Workers.current()
        if len(examples) < workers.size:
            raise ValueError(
                f"{len(examples)} images to evaluate on are too few for {workers.size} workers"
            )
        mine = np.arange(len(examples))[workers.rank :: workers.size]
        total: Tensor | None = None
        loss = torch.zeros((), dtype=torch.float64, device=device)
        # Of two classes: the log-odds and label of every image, which the workers share.
        answers = torch.zeros(2, len(examples), dtype=torch.float64, device=device)
        classes = 0
        size = CPU_BATCH if device.type == "cpu" else GPU_BATCH
        for start in range(0, len(mine), size):
            positions = mine[start : start + size]
            x, labels = examples.batch(positions, device)
            logits = model(x)
            classes = logits.shape[1]
            loss += self.loss(logits, labels).double()
            counted = classification.confusion_matrix(labels, logits.argmax(1), classes)
            total = counted if total is None else total + counted
            if classes == 2:
                places = torch.from_numpy(positions).to(device)
                answers[0, places] = (logits[:, 1] - logits[:, 0]).double()
                answers[1, places] = labels.double()
        if total is None:
            raise ValueError("no image to evaluate on")
        workers.sum(total)
        workers.sum(loss)
        accuracy = classification.accuracy(total)
        metrics = {
            "accuracy": accuracy,
            "error": 100 - accuracy,
            "loss": float(loss) / int(total.sum()),
        }
        details: dict[str, Any] = {"confusion": total.tolist(), "log_odds": None}
        if classes == 2:
            log_odds, labels = workers.sum(answers).cpu().numpy()
            rates = binary_scores(labels.astype(np.int64), log_odds)
            # A rate is not a number where its class is absent from the split.
            metrics = {**{key: rate for key, rate in rates.items() if rate == rate}, **metrics}
            details["log_odds"] = log_odds.tolist()
        return Measurement(metrics, details)


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Classification:
    """Return the task (`structnets.forms.tasks.make_task`)."""
    return Classification()
