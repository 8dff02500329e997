"""All-CNN-C (Springenberg et al. 2015), the plain net beside the hierarchical ones (Table 7, 8).

Nothing but convolutions and ReLU: strides in place of pooling, 1 x 1 layers and a mean in place
of fully connected ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Output channels, kernel size, stride, padding of each convolution but the last.
LAYERS = (
    (96, 3, 1, 1),
    (96, 3, 1, 1),
    (96, 3, 2, 1),
    (192, 3, 1, 1),
    (192, 3, 1, 1),
    (192, 3, 2, 1),
    (192, 3, 1, 0),
    (192, 1, 1, 0),
)
SMALLEST = 9  # pixels of an image, so that a pixel is left after the layer without padding


class AllCNN(nn.Module):
    """The net.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the images.
    dropout : pair of float
        Probability on the input, and after each of the two strided layers.
    """

    def __init__(
        self, num_classes: int = 10, in_channels: int = 3, dropout: Sequence[float] = (0.2, 0.5)
    ) -> None:
        super().__init__()
        modules: list[nn.Module] = [nn.Dropout(dropout[0])]
        channels = in_channels
        for width, size, stride, padding in LAYERS:
            modules += [nn.Conv2d(channels, width, size, stride, padding), nn.ReLU(inplace=True)]
            if stride > 1:
                modules.append(nn.Dropout(dropout[1]))
            channels = width
        classes = nn.Conv2d(channels, num_classes, 1)
        modules += [classes, nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*modules)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                nn.init.zeros_(torch.as_tensor(module.bias))
        # Small logits at first: pushed down from large ones, the ReLU behind the classes dies.
        nn.init.normal_(classes.weight, std=0.01)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images (N, C, H, W) of at least 9 x 9 pixels; returns logits (N, classes)."""
        if min(images.shape[-2:]) < SMALLEST:
            raise ValueError(
                f"images must be at least {SMALLEST} x {SMALLEST} pixels, got "
                f"{tuple(images.shape[-2:])}"
            )
        return self.features(images).mean((2, 3))


def all_cnn(
    num_classes: int = 10, in_channels: int = 3, dropout: Sequence[float] = (0.2, 0.5)
) -> AllCNN:
    """Build All-CNN-C: 1,369,738 weights for ten classes, 1,387,108 for a hundred.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the images.
    dropout : pair of float
        On the input, and after each strided layer.
    """
    return AllCNN(num_classes, in_channels, dropout)
