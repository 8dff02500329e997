"""Two small nets for the demo: filters of Gaussian derivatives beside filters of free pixels.

Everything but the filters is the same. They train in seconds, where the nets of Figure 6 take half
an hour.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from structnets.nn import GaussianConv2d

ORDERS, SIGMAS, SUPPORTS = (3, 2, 2), (1.5, 1.0, 1.0), (11, 7, 7)


class SmallDigitNet(nn.Module):
    """Three convolutions, each followed by normalisation, rectification and pooling by 2.

    Parameters
    ----------
    convolutions : sequence of nn.Module
        Three, which keep the size of their input.
    width : int
        Channels of each.
    num_classes, image_size : int
        Outputs, and width of the square input, at least 8.
    """

    def __init__(
        self, convolutions: Sequence[nn.Module], width: int, num_classes: int, image_size: int
    ) -> None:
        super().__init__()
        if image_size < 8:
            raise ValueError(f"image_size must be at least 8, got {image_size}")
        layers: list[nn.Module] = []
        for convolution in convolutions:
            layers += [convolution, nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(width * (image_size // 8) ** 2, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images of shape (B, C, H, W) in [0, 1]; returns logits (B, classes)."""
        return self.head(self.features(x).flatten(1))


def small_rfnn(
    num_classes: int = 10, image_size: int = 28, width: int = 12, in_channels: int = 1
) -> SmallDigitNet:
    """Build the net of Gaussian derivatives, with the orders and scales of Figure 6's RFNN."""
    sides = (in_channels, width, width)
    layers = [
        GaussianConv2d(side, width, order=order, sigmas=sigma, bias=False)
        for side, order, sigma in zip(sides, ORDERS, SIGMAS, strict=True)
    ]
    return SmallDigitNet(layers, width, num_classes, image_size)


def small_cnn(
    num_classes: int = 10, image_size: int = 28, width: int = 12, in_channels: int = 1
) -> SmallDigitNet:
    """Build the net of free filters, as wide as those of `small_rfnn`."""
    sides = (in_channels, width, width)
    layers = [
        nn.Conv2d(side, width, size, padding=size // 2, bias=False)
        for side, size in zip(sides, SUPPORTS, strict=True)
    ]
    return SmallDigitNet(layers, width, num_classes, image_size)
