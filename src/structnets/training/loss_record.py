"""Means of the training loss: over each epoch, and over every hundred steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from structnets.forms.workers import Workers

WINDOW = 100  # steps, as Figure 18 smooths its curves


class LossRecord:
    """Sums of the workers' shares of the loss, which a checkpoint keeps.

    Sums stay on the device, so that no step waits for them.

    Parameters
    ----------
    workers : Workers
        Whose shares add up to the loss.
    device : torch.device
        Of the training.
    state : dict, optional
        What `state` returned on rank 0.

    Attributes
    ----------
    windows : list of float
        Mean loss of each `WINDOW` steps so far.
    """

    def __init__(
        self, workers: Workers, device: torch.device, state: dict[str, Any] | None = None
    ) -> None:
        self.workers = workers
        self.windows: list[float] = list(state["windows"]) if state else []
        sums = state["sums"] if state and workers.rank == 0 else [0.0, 0.0]
        # Of the epoch and of the window in hand.
        self._sums = torch.tensor(sums, dtype=torch.float32, device=device)

    def add(self, loss: Tensor, steps: int) -> None:
        """Take this worker's share of the loss of a step, the `steps`-th of the training."""
        self._sums += loss
        if steps % WINDOW == 0:
            self.windows.append(float(self._total()[1]) / WINDOW)
            self._sums[1] = 0.0

    def end_epoch(self, steps: int) -> float:
        """Return the mean loss of the epoch's `steps` steps, and begin the next epoch."""
        mean = float(self._total()[0]) / steps
        self._sums[0] = 0.0
        return mean

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; every worker must call it."""
        return {"sums": self._total().tolist(), "windows": self.windows}

    def _total(self) -> Tensor:
        return self.workers.sum(self._sums.clone())
