"""Images with annotated boundaries, as trainings and the benchmark read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.boundary_crops import BoundaryCrops
from structnets.data.batches.examples import Step
from structnets.data.sets.boundary_split import BoundarySplit


@dataclass(frozen=True)
class BoundaryImages:
    """Images of one or more splits, and which of them are meant.

    Parameters
    ----------
    splits : sequence of BoundarySplit
        Where they lie.
    chosen : ndarray, shape (n, 2), int64
        Split and row of each image that counts.
    crops : BoundaryCrops, optional
        What training makes of them; by default they are read whole and unmoved.
    """

    splits: Sequence[BoundarySplit]
    chosen: np.ndarray
    crops: BoundaryCrops | None = None

    @classmethod
    def of(cls, split: BoundarySplit) -> BoundaryImages:
        """Take every image of one split, as it is."""
        return cls((split,), np.array([(0, row) for row in range(len(split))]))

    def __len__(self) -> int:
        """Return the number of images that count."""
        return len(self.chosen)

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read whole images by position among those that count.

        Returns
        -------
        images : Tensor, shape (B, C, H, W), float32
            In [0, 1].
        boundaries : Tensor, shape (B, 1, H, W), float32
            1 at boundaries, the annotators merged.
        """
        whole = BoundaryCrops(None, flips=False, gamma=None)
        return _tensors((whole(*self._pixels(place), 0, 0) for place in positions), device)

    def stream(
        self, steps: Iterable[Step], device: torch.device
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Read a worker's parts of steps, each example cropped and moved by its place."""
        for step in steps:
            if self.crops is None:
                yield self.batch(step.batch[step.part], device)
                continue
            crops, places = self.crops, range(len(step.batch))[step.part]
            yield _tensors(
                (crops(*self._pixels(step.batch[k]), step.number, k) for k in places), device
            )

    def truths(self, position: int) -> np.ndarray:
        """Return what each annotator of an image drew, (A, H, W) bool."""
        split, row = self.chosen[position]
        return self.splits[split].truths(int(row))

    def name(self, position: int) -> str:
        """Return the id of an image."""
        return self._item(position)["id"]

    def upright(self, position: int) -> bool:
        """Tell whether an image was transposed when it was prepared."""
        return self._item(position)["transposed"]

    def _item(self, position: int):
        split, row = self.chosen[position]
        return self.splits[split].items[row]

    def _pixels(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        split, row = self.chosen[position]
        return self.splits[split].images[row], self.splits[split].labels[row]


def _tensors(
    examples: Iterable[tuple[np.ndarray, np.ndarray]], device: torch.device
) -> tuple[Tensor, Tensor]:
    read = list(examples)
    if not read:  # a worker's part of a batch smaller than the group
        raise ValueError("a batch has fewer examples than there are workers: raise batch_size")
    images, boundaries = (torch.from_numpy(np.stack(part)) for part in zip(*read, strict=True))
    return images.to(device, non_blocking=True), boundaries.to(device, non_blocking=True)
