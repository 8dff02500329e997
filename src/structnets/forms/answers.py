"""What a model answers of every example of a split, and what is true of it."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from structnets.data.batches.examples import Examples
from structnets.forms.workers import Workers

BATCH = 50


@torch.no_grad()
def answers_of(
    model: nn.Module, examples: Examples, device: torch.device
) -> tuple[np.ndarray, np.ndarray]:
    """Ask `model` in evaluation mode; every worker gets the answers of all.

    Returns
    -------
    answers, targets : numpy.ndarray
        (N, outputs) float64, in the order of the split.

    Raises
    ------
    ValueError
        If there are fewer examples than workers, or an answer is no finite number.
    """
    model.eval()
    workers = Workers.current()
    if len(examples) < workers.size or not len(examples):
        raise ValueError(
            f"{len(examples)} images to evaluate on are too few for {workers.size} workers"
        )
    mine = np.arange(len(examples))[workers.rank :: workers.size]
    found: torch.Tensor | None = None
    for start in range(0, len(mine), BATCH):
        positions = mine[start : start + BATCH]
        x, targets = examples.batch(positions, device)
        said = model(x)
        if found is None:
            size = (2, len(examples), said.shape[1])
            found = torch.zeros(size, dtype=torch.float64, device=device)
        places = torch.from_numpy(positions).to(device)
        found[0, places] = said.double()
        found[1, places] = targets.double().view(len(said), -1)
    assert found is not None
    answers, true = workers.sum(found).cpu().numpy()
    if wrong := int((~np.isfinite(answers)).any(axis=1).sum()):
        raise ValueError(f"{wrong} answers are no finite numbers: the training diverged")
    return answers, true
