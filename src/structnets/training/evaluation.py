"""Measuring a trained model on a split, over all workers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from structnets.metrics import classification
from structnets.training.arrays import Images
from structnets.training.workers import Workers

# Few enough for the maps of one layer to stay in a processor's caches; many on a GPU.
CPU_BATCH, GPU_BATCH = 50, 500


@dataclass(frozen=True)
class Measurement:
    """Accuracy in percent, mean cross-entropy, and the confusion matrix (true, predicted)."""

    accuracy: float
    loss: float
    confusion: list[list[int]]


@torch.no_grad()
def evaluate(model: nn.Module, images: Images, device: torch.device) -> Measurement:
    """Measure `model` in evaluation mode; every worker gets the same result."""
    model.eval()
    workers = Workers.current()
    if len(images) < workers.size:
        raise ValueError(
            f"{len(images)} images to evaluate on are too few for {workers.size} workers"
        )
    mine = np.arange(len(images))[workers.rank :: workers.size]
    total: torch.Tensor | None = None
    loss = torch.zeros((), dtype=torch.float64, device=device)
    classes = 0
    size = CPU_BATCH if device.type == "cpu" else GPU_BATCH
    for start in range(0, len(mine), size):
        x, labels = images.batch(mine[start : start + size], device)
        logits = model(x)
        classes = logits.shape[1]
        loss += functional.cross_entropy(logits, labels, reduction="sum").double()
        counted = classification.confusion_matrix(labels, logits.argmax(1), classes)
        total = counted if total is None else total + counted
    if total is None:
        raise ValueError("no image to evaluate on")
    workers.sum(total)
    workers.sum(loss)
    return Measurement(
        classification.accuracy(total), float(loss) / int(total.sum()), total.tolist()
    )
