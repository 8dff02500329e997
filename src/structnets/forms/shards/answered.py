"""Images in shards whose targets are answers of their own, in place of a class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.crops import Crop
from structnets.data.batches.examples import Step
from structnets.data.prepared.shards import ShardedSplit
from structnets.forms.shards.source import ShardedImages, Sight


class AnsweredImages(ShardedImages):
    """Some images of a split, each with what is to be answered of it.

    Parameters
    ----------
    split, rows, sight
        As `structnets.forms.shards.source.ShardedImages` has them.
    targets : Tensor, shape (N, ...)
        Of all images of the split.
    """

    def __init__(
        self, split: ShardedSplit, rows: np.ndarray, sight: Sight, targets: Tensor
    ) -> None:
        super().__init__(split, rows, sight)
        self.targets = targets

    def _read(
        self, steps: Iterable[Step], crop: Crop, device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        steps = list(steps)
        stream = super()._read(steps, crop, device)
        for step, (pictures, _) in zip(steps, stream, strict=True):
            rows = torch.from_numpy(self.rows[step.batch[step.part]])
            yield pictures, self.targets[rows].to(device, non_blocking=True)
