"""DenseNets for small images (Huang et al. 2017), in pixels or frames (Table 6).

A 3 x 3 convolution to 16 maps, then three dense blocks of (L - 4) / 3 layers, each layer adding K
maps to its input; between the blocks a 1 x 1 convolution that keeps the width and average pooling
by 2. This is the plain net, without bottlenecks and compression.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.frames import learn_in_frame
from structnets.nn.composition import composed_together
from structnets.nn.residual import conv1x1, conv3x3

STEM_WIDTH = 16
BLOCKS = 3


class DenseLayer(nn.Module):
    """Batch norm, ReLU, 3 x 3 convolution, dropout; the output is appended to the input."""

    def __init__(self, inputs: int, growth: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(inputs)
        self.conv = conv3x3(inputs, growth)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Extend maps (B, C, H, W) to (B, C + K, H, W)."""
        return torch.cat([x, self.drop(self.conv(functional.relu(self.norm(x))))], 1)


class Transition(nn.Module):
    """Batch norm, ReLU, 1 x 1 convolution, dropout, average pooling by 2."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = conv1x1(channels, channels)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Halve maps (B, C, H, W)."""
        return functional.avg_pool2d(self.drop(self.conv(functional.relu(self.norm(x)))), 2)


class DenseNet(nn.Module):
    """A densely connected net.

    Parameters
    ----------
    num_classes : int
        Outputs.
    depth : int
        L = 3n + 4 layers: 40 or 100.
    growth : int
        K, the maps a layer adds.
    dropout : float
        Probability; the authors use 0.2 only without augmentation.
    frame : str
        As in `structnets.models.resnet.ResNet`.
    in_channels : int
        Of the images.

    Raises
    ------
    ValueError
        If depth, growth or frame is not allowed.
    """

    def __init__(
        self,
        num_classes: int = 10,
        depth: int = 40,
        growth: int = 12,
        dropout: float = 0.0,
        frame: str = "pixel",
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        layers, rest = divmod(depth - 4, BLOCKS)
        if layers < 1 or rest:
            raise ValueError(f"depth must be {BLOCKS} n + 4 with n >= 1, got {depth}")
        if growth < 1:
            raise ValueError(f"growth must be >= 1, got {growth}")
        channels = STEM_WIDTH
        modules: list[nn.Module] = [conv3x3(in_channels, channels)]
        for block in range(BLOCKS):
            if block:
                modules.append(Transition(channels, dropout))
            for _ in range(layers):
                modules.append(DenseLayer(channels, growth, dropout))
                channels += growth
        self.features = nn.Sequential(*modules)
        self.norm = nn.BatchNorm2d(channels)
        self.head = nn.Linear(channels, num_classes)
        learn_in_frame(self, frame)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images (B, in_channels, H, W); returns logits (B, num_classes)."""
        with composed_together(self):
            x = self.features(x)
        x = functional.relu(self.norm(x), inplace=True)
        return self.head(torch.mean(x, (2, 3)))
