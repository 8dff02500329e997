"""Voxels as they are, each volume standardised: the features of Table 5's linear baseline."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StandardizedVoxels(nn.Module):
    """Flatten images or volumes and give each mean 0 and deviation 1; nothing is learned.

    Parameters
    ----------
    num_classes : int
        Taken for symmetry with the other models; the features do not depend on it.
    """

    def __init__(self, num_classes: int = 2) -> None:
        super().__init__()
        self.num_classes = num_classes

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Standardise x (B, C, ...) to features (B, D); a constant volume becomes zero."""
        flat = x.flatten(1)
        centred = flat - flat.mean(1, keepdim=True)
        return centred / centred.square().mean(1, keepdim=True).sqrt().clamp_min(1e-12)
