"""Images of a prepared set as the training loop reads them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


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
    """

    images: np.ndarray
    labels: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        """Return the number of images that count."""
        return len(self.indices)

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read images by position among those that count: (B, C, H, W) in [0, 1], (B,)."""
        rows = self.indices[positions]
        images = torch.from_numpy(self.images[rows]).to(device, non_blocking=True)
        labels = torch.from_numpy(self.labels[rows]).to(device, non_blocking=True)
        return images.float().div_(255), labels
