"""Images of a prepared set as the training loop reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from structnets.data.augmentation import Moves, Standardization, move


@dataclass(frozen=True)
class Images:
    """Images and labels, and which of them are meant.

    Parameters
    ----------
    images : ndarray, shape (N, C, H, W), uint8
        May be memory-mapped; scaled to [0, 1] when read.
    labels : ndarray, shape (N,), int64
        Class indices.
    indices : ndarray, shape (n,), int64
        The part that counts.
    statistics : mapping, optional
        ``mean`` and ``std`` per channel of the training images in [0, 1]; images are then
        standardised when read.
    """

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray
    statistics: Mapping[str, Sequence[float]] | None = None

    def __len__(self) -> int:
        """Return the number of images that count."""
        return len(self.indices)

    def batch(
        self, positions: np.ndarray, device: torch.device, moves: Moves | None = None
    ) -> tuple[Tensor, Tensor]:
        """Read images by position among those that count.

        Parameters
        ----------
        positions : ndarray, shape (B,)
            Which.
        device : torch.device
            Where to put them.
        moves : Moves, optional
            Shifts and flips of these B images; what a shift brings in is black.

        Returns
        -------
        images : Tensor, shape (B, C, H, W), float32
            In [0, 1], or standardised.
        labels : Tensor, shape (B,), int64
            Class indices.
        """
        rows = self.indices[positions]
        images = torch.from_numpy(self.images[rows]).to(device, non_blocking=True)
        labels = torch.from_numpy(self.labels[rows]).to(device, non_blocking=True)
        if moves is not None:
            images = move(images, moves)
        if self._standardize is None:
            return images.float().div_(255), labels
        return self._standardize(images), labels

    @cached_property
    def _standardize(self) -> Standardization | None:
        """The constants of standardisation, made once and not with every batch."""
        if self.statistics is None:
            return None
        space = self.images.ndim - 2
        return Standardization(self.statistics["mean"], self.statistics["std"], space)
