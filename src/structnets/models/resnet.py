"""Pre-activation residual nets for small images (He et al. 2016), in pixels or frames (Table 6).

A 3 x 3 convolution to 16 maps, three stages of n units at widths 16, 32 and 64 and halving
resolution, then batch norm, ReLU, average and a linear layer. Depth is 6n + 2 with basic units
(two 3 x 3 convolutions) and 9n + 2 with bottleneck units (1 x 1, 3 x 3, 1 x 1 at four times the
width). A unit that changes width or resolution has a 1 x 1 projection on its shortcut.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.frames import learn_in_frame
from structnets.nn.composition import composed_together
from structnets.nn.residual import PreActivationUnit, conv1x1, conv3x3

WIDTHS = (16, 32, 64)
_LAYERS_PER_STAGE = {"basic": 2, "bottleneck": 3}


def unit(block: str, inputs: int, width: int, stride: int) -> tuple[PreActivationUnit, int]:
    """Return a unit of a kind, and its number of output channels."""
    if block == "basic":
        return PreActivationUnit(inputs, [conv3x3(inputs, width, stride), conv3x3(width, width)]), (
            width
        )
    convolutions = [
        conv1x1(inputs, width),
        conv3x3(width, width, stride),
        conv1x1(width, 4 * width),
    ]
    return PreActivationUnit(inputs, convolutions), 4 * width


class ResNet(nn.Module):
    """A residual net.

    Parameters
    ----------
    num_classes : int
        Outputs.
    depth : int
        Layers: 6n + 2 (basic; 20, 32, 56, 110) or 9n + 2 (bottleneck; 164).
    block : {'basic', 'bottleneck'}
        Kind of unit.
    frame : str
        What the 3 x 3 convolutions learn in: ``pixel``, ``gaussian``, ``framelet``, ``naive``,
        ``gauss15``, or ``image`` (Gaussian and framelet alternating). 1 x 1 ones have no choice.
    in_channels : int
        Of the images.

    Raises
    ------
    ValueError
        If depth, block or frame is not allowed.
    """

    def __init__(
        self,
        num_classes: int = 10,
        depth: int = 20,
        block: str = "basic",
        frame: str = "pixel",
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        if block not in _LAYERS_PER_STAGE:
            raise ValueError(f"block must be 'basic' or 'bottleneck', got {block!r}")
        per_unit = 3 * _LAYERS_PER_STAGE[block]
        units, rest = divmod(depth - 2, per_unit)
        if units < 1 or rest:
            raise ValueError(
                f"depth of a {block} net must be {per_unit} n + 2 with n >= 1, got {depth}"
            )
        self.stem = conv3x3(in_channels, WIDTHS[0])
        channels = WIDTHS[0]
        stages = []
        for stage, width in enumerate(WIDTHS):
            for i in range(units):
                stride = 2 if stage > 0 and i == 0 else 1
                module, channels = unit(block, channels, width, stride)
                stages.append(module)
        self.units = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, num_classes)
        learn_in_frame(self, frame)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images (B, in_channels, H, W); returns logits (B, num_classes)."""
        with composed_together(self):
            x = self.units(self.stem(x))
        x = functional.relu(self.norm(x), inplace=True)
        return self.head(torch.mean(x, (2, 3)))
