"""ResNet-50 (He et al. 2015), with which the thesis compares the i-RevNet (Table 9).

As torchvision builds it: in units that down-sample, the 3 x 3 convolution strides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from structnets.nn.residual import conv1x1, conv3x3

_EXPANSION = 4


class BottleneckUnit(nn.Module):
    """Convolutions of 1, 3 and 1 pixels, each before batch norm, added to a shortcut.

    Parameters
    ----------
    inputs : int
        Channels of the input.
    width : int
        Channels inside; four times as many come out.
    stride : int
        Of the 3 x 3 convolution.
    """

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = _EXPANSION * width
        self.residual = nn.Sequential(
            *_normalized(conv1x1(inputs, width)),
            nn.ReLU(inplace=True),
            *_normalized(conv3x3(width, width, stride)),
            nn.ReLU(inplace=True),
            *_normalized(conv1x1(width, outputs)),
        )
        changes = stride != 1 or inputs != outputs
        self.shortcut = (
            nn.Sequential(*_normalized(conv1x1(inputs, outputs, stride)))
            if changes
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, 4 width, H / stride, W / stride)."""
        return (self.residual(x) + self.shortcut(x)).relu_()


class ResNet50(nn.Module):
    """Residual net with bottleneck units (25.6M parameters with 1000 classes).

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs and image channels.
    units : sequence of int
        Units per stage; every stage but the first halves the resolution.
    width : int
        Channels of the stem and inside the units of the first stage; they double in each next.

    Raises
    ------
    ValueError
        If a number of units or the width is below 1.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        units: Sequence[int] = (3, 4, 6, 3),
        width: int = 64,
    ) -> None:
        super().__init__()
        if not units or min(units) < 1 or width < 1:
            raise ValueError(
                f"units and width must be >= 1, got units {list(units)} and width {width}"
            )
        self.stem = nn.Sequential(
            *_normalized(nn.Conv2d(in_channels, width, 7, 2, 3, bias=False)),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.units = nn.Sequential(*_chain(units, width))
        self.head = nn.Linear(_EXPANSION * width * 2 ** (len(units) - 1), num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Classify images (B, in_channels, H, W); returns logits (B, num_classes)."""
        return self.head(self.units(self.stem(x)).mean((2, 3)))


def _chain(units: Sequence[int], width: int) -> Iterator[BottleneckUnit]:
    """Build the units of all stages."""
    inputs = width
    for stage, count in enumerate(units):
        inner = width * 2**stage
        for i in range(count):
            yield BottleneckUnit(inputs, inner, 2 if stage and not i else 1)
            inputs = _EXPANSION * inner


def _normalized(convolution: nn.Conv2d) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    return convolution, nn.BatchNorm2d(convolution.out_channels)
