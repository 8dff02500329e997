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
    in_channels : int, optional
        Channels that every input must have; by default any number.
    """

    def __init__(self, num_classes: int = 2, in_channels: int | None = None) -> None:
        super().__init__()
        self.num_classes, self.in_channels = num_classes, in_channels

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Standardise x (B, C, ...) to features (B, D); a constant volume becomes zero.

        Raises
        ------
        ValueError
            If the input has another number of channels than was asked for.
        """
        if self.in_channels is not None and x.shape[1] != self.in_channels:
            raise ValueError(f"input must have {self.in_channels} channels, got {x.shape[1]}")
        flat = x.flatten(1)
        centred = flat - flat.mean(1, keepdim=True)
        return centred / centred.square().mean(1, keepdim=True).sqrt().clamp_min(1e-12)
