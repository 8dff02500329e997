"""The H-Net for boundaries (Worrall et al. 2017), the rotation-equivariant net of Figure 11.

Five stages of two harmonic convolutions (5 x 5, rotation orders 0 and 1) with 7, 14, 28, 56 and 56
channels per order; between them mean pooling by 2. Every stage answers by a 1 x 1 convolution of
its magnitudes, enlarged to the image; a last 1 x 1 convolution fuses the five answers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.boundary import BoundaryOutputs, scaled_widths
from structnets.nn.harmonic_conv import (
    HarmonicConv2d,
    MagnitudeNorm,
    MagnitudeReLU,
    magnitudes,
)

WIDTHS = (7, 14, 28, 56, 56)


class HNet(nn.Module):
    """Harmonic boundary detector with deep supervision.

    Parameters
    ----------
    in_channels : int
        Of the images.
    width : float
        Multiplier of all channels; 1 is the published net of 126,454 weights.
    kernel_size : int
        Odd width of the filters.
    rings : int
        Samples of their radial profiles.
    momentum : float
        Of the running statistics; the released 0.01 needs thousands of steps.
    num_classes : int
        Maps of logits: kinds of boundaries. Every stage answers for each, and all these answers
        are fused into each.
    """

    def __init__(
        self,
        in_channels: int = 3,
        width: float = 1.0,
        kernel_size: int = 5,
        rings: int = 4,
        momentum: float = 0.01,
        num_classes: int = 1,
    ) -> None:
        super().__init__()
        channels = in_channels
        stages, sides = [], []
        for stage, outputs in enumerate(scaled_widths(WIDTHS, width)):
            stages.append(
                nn.Sequential(
                    HarmonicConv2d(channels, outputs, kernel_size, rings, real_input=stage == 0),
                    MagnitudeReLU(outputs),
                    HarmonicConv2d(outputs, outputs, kernel_size, rings),
                    MagnitudeNorm(outputs, momentum=momentum),
                )
            )
            sides.append(nn.Conv2d(2 * outputs, num_classes, 1, bias=False))
            channels = outputs
        self.stages, self.sides = nn.ModuleList(stages), nn.ModuleList(sides)
        self.fuse = nn.Conv2d(len(WIDTHS) * num_classes, num_classes, 1)
        for conv in (*sides, self.fuse):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="linear")
        if self.fuse.bias is not None:
            nn.init.constant_(self.fuse.bias, 0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Return the fused logits (B, num_classes, H, W) of images (B, in_channels, H, W).

        In training mode those of the five stages follow, (B, 6 num_classes, H, W), for deep
        supervision.
        """
        outputs = self.outputs(x)
        return torch.cat([outputs.logits, *outputs.sides], 1) if self.training else outputs.logits

    def forward_features(self, x: Tensor) -> Tensor:
        """Refuse features: what is fused are answers.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "HNet fuses the answers of its five stages and has no features apart from them: take "
            "the maps of a stage, model.stages[i], from a hook"
        )

    def without_classes(self) -> None:
        """Refuse, as `forward_features`."""
        self.forward_features(self.fuse.weight)

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the fused logits and those of the five stages.

        Raises
        ------
        ValueError
            If the image is smaller than the 16 pixels that four poolings need.
        """
        size = x.shape[-2:]
        smallest = 2 ** (len(WIDTHS) - 1)
        if min(size) < smallest:
            raise ValueError(f"images must be at least {smallest} pixels wide, got {tuple(size)}")
        maps = x[:, None, None]
        answers = []
        for stage, (block, side) in enumerate(zip(self.stages, self.sides, strict=True)):
            if stage:
                shape = maps.shape[1:4]
                maps = functional.avg_pool2d(maps.flatten(1, 3), 2).unflatten(1, shape)
            maps = block(maps)
            answer = side(magnitudes(maps).flatten(1, 2))
            answers.append(
                functional.interpolate(answer, size, mode="bilinear", align_corners=False)
            )
        return BoundaryOutputs(self.fuse(torch.cat(answers, 1)), tuple(answers))
