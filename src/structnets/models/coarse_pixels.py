"""Pixels of a coarse picture: the features of the linear row beside estimates of scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class CoarsePixels(nn.Module):
    """Average pictures to a few cells and flatten them; nothing is learned.

    Brightness and colour stay as they are, unlike those of
    `structnets.models.standardized_voxels.StandardizedVoxels`.

    Parameters
    ----------
    num_classes : int
        Taken for symmetry with the other models; the features do not depend on it.
    in_channels : int, optional
        Channels that every input must have; by default any number.
    side : int
        Cells along each axis; a smaller picture is enlarged to them.
    """

    def __init__(
        self, num_classes: int = 1, in_channels: int | None = None, side: int = 16
    ) -> None:
        super().__init__()
        if side < 1:
            raise ValueError(f"side must be at least 1, got {side}")
        self.num_classes, self.in_channels, self.side = num_classes, in_channels, side

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Average x (B, C, H, W) to features (B, C * side * side).

        Raises
        ------
        ValueError
            If the input is no batch of pictures, or has another number of channels than was asked
            for.
        """
        if x.ndim != 4:
            raise ValueError(f"input must be pictures (B, C, H, W), got the shape {tuple(x.shape)}")
        if self.in_channels is not None and x.shape[1] != self.in_channels:
            raise ValueError(f"input must have {self.in_channels} channels, got {x.shape[1]}")
        return functional.adaptive_avg_pool2d(x, self.side).flatten(1)
