"""What a training reads: examples of a split, by position, or as the steps of an epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One step of a training, and the part of it that one worker computes.

    Attributes
    ----------
    number : int
        Counted over the whole training; decides the augmentation, with the seed.
    batch : ndarray, shape (B,)
        Positions of the global batch.
    part : slice
        The worker's part of it.
    """

    number: int
    batch: np.ndarray
    part: slice


class Examples(Protocol):
    """Examples of one split: inputs of a model and what it should answer."""

    def __len__(self) -> int:
        """Return the number of examples."""
        ...

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read examples by position, as they are: inputs and targets on `device`."""
        ...

    def stream(
        self, steps: Iterable[Step], device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Read the worker's parts of consecutive steps, augmented as the recipe says.

        An implementation may read ahead; what it yields depends on the steps alone.
        """
        ...
