"""Scattering features, the baseline of Figure 6 (Bruna and Mallat 2013), computed by Kymatio."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class ScatteringFeatures(nn.Module):
    """Windowed scattering, sub-sampled and flattened; nothing is learned.

    Parameters
    ----------
    num_classes : int
        Taken for symmetry with the other models; the features do not depend on it.
    image_size : int
        Width of the square input.
    scale : int
        J: the averaging window is 2^J pixels.
    angles : int
        L: orientations of the Morlet wavelets.
    max_order : {1, 2}
        Number of wavelet-modulus layers.
    in_channels : int
        Channels of the images, each of which is transformed alone.
    """

    def __init__(
        self,
        num_classes: int = 10,
        image_size: int = 28,
        scale: int = 3,
        angles: int = 6,
        max_order: int = 2,
        in_channels: int = 1,
    ) -> None:
        super().__init__()
        # kymatio.torch imports an interface that SciPy has removed; its 2-D part does not.
        from kymatio.scattering2d.frontend.torch_frontend import ScatteringTorch2D

        step = 2**scale
        self.padded = -(-image_size // step) * step
        self.margin = self.padded - image_size
        self.num_classes, self.in_channels = num_classes, in_channels
        self.transform = ScatteringTorch2D(
            J=scale, shape=(self.padded, self.padded), L=angles, max_order=max_order
        )

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        """Transform images (B, C, H, W) to features (B, D), those of each channel together.

        Raises
        ------
        ValueError
            If the images have another number of channels.
        """
        if x.ndim != 4 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"images must have shape (B, {self.in_channels}, H, W), got {tuple(x.shape)}"
            )
        before = self.margin // 2
        after = self.margin - before
        padded = functional.pad(x, (before, after, before, after))
        return self.transform(padded.contiguous()).flatten(1)
