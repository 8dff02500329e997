"""RevNet-56, with which the thesis compares the i-RevNet (Table 9).

Its units couple two streams by two residual functions, ``y1 = x1 + F(x2)``, ``y2 = x2 + G(y1)``:
two blocks of Eq. 39 in a row. Stages begin with a unit that is not invertible, since it strides
and projects; the stem pools.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn.bottleneck import Bottleneck
from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.invertible_sequential import InvertibleSequential
from structnets.nn.streams import Streams


class ProjectingUnit(nn.Module):
    """The first unit of a stage: changes width and resolution, so it has no inverse.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of a stream.
    stride : int
        Down-sampling.
    activate : bool
        Whether F begins with batch norm and ReLU.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, activate: bool) -> None:
        super().__init__()
        self.f = Bottleneck(in_channels, out_channels, stride, activate=activate)
        self.g = Bottleneck(out_channels, out_channels)
        self.project1 = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)
        self.project2 = nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)

    def forward(self, streams: Streams) -> Streams:
        """Map a pair (B, in, H, W) to a pair (B, out, H / stride, W / stride)."""
        x1, x2 = streams
        y1 = self.project1(x1) + self.f(x2)
        return y1, self.project2(x2) + self.g(y1)


class RevNet(nn.Module):
    """Reversible residual network of Gomez et al.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs and image channels.
    units : sequence of int
        Units per stage; the first one of each is not invertible.
    channels : sequence of int
        Channels after the stem, then of both streams together after each stage.
    strides : sequence of int
        Of each stage.
    reversible : bool
        Train without storing the activations of the invertible units.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        units: Sequence[int] = (2, 2, 3, 2),
        channels: Sequence[int] = (128, 512, 1024, 2048, 3328),
        strides: Sequence[int] = (1, 2, 2, 2),
        reversible: bool = True,
    ) -> None:
        super().__init__()
        if not len(units) == len(strides) == len(channels) - 1:
            raise ValueError(
                "units and strides need one value per stage and channels one more, got "
                f"{list(units)}, {list(strides)} and {list(channels)}"
            )
        for value in channels:
            if value < 8 or value % 2:
                raise ValueError(f"channels must be even and >= 8, got {list(channels)}")
        self.stem = nn.Sequential(
            nn.Conv2d(in_channels, channels[0], 7, 2, 3, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        stages: list[nn.Module] = []
        for i, (count, stride) in enumerate(zip(units, strides, strict=True)):
            inputs, outputs = channels[i] // 2, channels[i + 1] // 2
            stages.append(ProjectingUnit(inputs, outputs, stride, activate=i > 0))
            chain = [InvertibleBlock(Bottleneck(outputs, outputs)) for _ in range(2 * (count - 1))]
            stages.append(InvertibleSequential(*chain, reversible=reversible))
        self.stages = nn.Sequential(*stages)
        self.norm = nn.BatchNorm2d(channels[-1])
        self.head = nn.Linear(channels[-1], num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images (B, C, H, W); returns logits (B, num_classes)."""
        first, second = self.stem(x).chunk(2, 1)
        maps = torch.cat(self.stages((first, second)), 1)
        return self.head(functional.relu(self.norm(maps), inplace=True).mean((2, 3)))
