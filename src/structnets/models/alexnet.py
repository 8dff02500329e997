"""AlexNet, a row of thesis Table 1: the Caffe model zoo's net with its grouped convolutions."""

from __future__ import annotations

from torch import Tensor, nn

from structnets.models.nin import max_pool
from structnets.models.pixel_range import PixelRange
from structnets.nn.cross_channel_norm import CrossChannelNorm


class AlexNet(nn.Module):
    """Five convolutions and three fully connected layers (Krizhevsky et al. 2012).

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image.
    image_size : int
        Width of the square image; the fully connected layers depend on it.
    groups : {1, 2}
        Groups of the second, fourth and fifth convolution. Two give the 60.0M parameters that
        the thesis prints (60,965,224), one the 370k filters (368,928).
    dropout : float
        Probability after the first two fully connected layers.
    input_scale : float
        See `PixelRange`.

    Raises
    ------
    ValueError
        If the image is smaller than 39 pixels, or `groups` is neither 1 nor 2.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        in_channels: int = 3,
        image_size: int = 224,
        groups: int = 2,
        dropout: float = 0.5,
        input_scale: float = 255.0,
    ) -> None:
        super().__init__()
        if groups not in (1, 2):
            raise ValueError(f"groups must be 1 or 2, got {groups}")
        if image_size < 39:
            raise ValueError(f"image_size must be >= 39, got {image_size}")
        self.pixels = PixelRange(input_scale)
        self.features = nn.Sequential(
            _convolution(in_channels, 96, 11, stride=4),
            nn.ReLU(),
            CrossChannelNorm(96, 5, 1.0, 1e-4 / 5),
            max_pool(),
            _convolution(96, 256, 5, groups=groups, bias=0.1),
            nn.ReLU(),
            CrossChannelNorm(256, 5, 1.0, 1e-4 / 5),
            max_pool(),
            _convolution(256, 384, 3),
            nn.ReLU(),
            _convolution(384, 384, 3, groups=groups, bias=0.1),
            nn.ReLU(),
            _convolution(384, 256, 3, groups=groups, bias=0.1),
            max_pool(),
            nn.ReLU(),
        )
        side = _half(_half(_half((image_size - 11) // 4 + 1)))
        self.classifier = nn.Sequential(
            _linear(256 * side**2, 4096, 0.005, 0.1),
            nn.ReLU(),
            nn.Dropout(dropout),
            _linear(4096, 4096, 0.005, 0.1),
            nn.ReLU(),
            nn.Dropout(dropout),
            _linear(4096, num_classes, 0.01, 0.0),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Classify images of shape (B, C, H, W) less their mean; returns logits (B, classes)."""
        return self.classifier(self.features(self.pixels(x)).flatten(1))


def _convolution(
    inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1, bias: float = 0.0
) -> nn.Conv2d:
    """Build a convolution with weights from N(0, .01^2); padded unless strided."""
    padding = 0 if stride > 1 else size // 2
    layer = nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups)
    nn.init.normal_(layer.weight, std=0.01)
    nn.init.constant_(layer.bias, bias)  # type: ignore[arg-type]
    return layer


def _linear(inputs: int, outputs: int, std: float, bias: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.normal_(layer.weight, std=std)
    nn.init.constant_(layer.bias, bias)
    return layer


def _half(side: int) -> int:
    """Return the width that 3/2 pooling with rounding up leaves."""
    return -(-(side - 3) // 2) + 1
