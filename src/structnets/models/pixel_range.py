"""The range of pixel values that the released ImageNet and CIFAR nets were made for."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class PixelRange(nn.Module):
    """Multiply images by a constant and lay them out channels last, where convolutions vectorise.

    The released nets take pixels of 0 to 255 less the mean image; their learning rates and
    initial weights (Gaussians of deviation .01) suit no other range. Images of [0, 1] less
    their mean become that by the factor 255.

    Parameters
    ----------
    factor : float
        Multiplies the input, positive.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        if not factor > 0:
            raise ValueError(f"input_scale must be > 0, got {factor}")
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        """Scale images of shape (B, C, H, W)."""
        return (x * self.factor).contiguous(memory_format=torch.channels_last)

    def extra_repr(self) -> str:
        """Name the factor."""
        return f"{self.factor:g}"
