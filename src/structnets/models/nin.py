"""Network in Network, the plain net of chapter 3 (thesis Tables 1, 2, 4; chapter 5's CIFAR nets).

Layers, initial weights and pooling are those of the Caffe model zoo, which the thesis names.
Each block is a spatial convolution and two 1x1 convolutions with ReLUs. Max-pooling stands
before the ReLU, which is equal and cheaper. The last 1x1 convolution has the classes as
channels, its ReLU is kept, and the logits are its mean over the map.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from structnets.bases.gaussian import GaussianBasis, dyadic_sigmas
from structnets.models.pixel_range import PixelRange
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d

BASES = ("gaussian", "free")
IMAGENET_WIDTHS = (96, 256, 384, 1024)


class Nin(nn.Module):
    """Blocks, then the mean over the map.

    Parameters
    ----------
    blocks : sequence of list of module
        In order; the first layer takes the image's channels, the last ends in the classes.
    input_scale : float
        See `PixelRange`.
    """

    def __init__(self, blocks: Sequence[Sequence[nn.Module]], input_scale: float) -> None:
        super().__init__()
        named = [(f"block{i + 1}", nn.Sequential(*block)) for i, block in enumerate(blocks)]
        self.pixels = PixelRange(input_scale)
        self.features = nn.Sequential(OrderedDict(named))

    def forward(self, x: Tensor) -> Tensor:
        """Classify images of shape (B, C, H, W) less their mean; returns logits (B, classes)."""
        return self.features(self.pixels(x)).mean((2, 3))


def convolution(
    inputs: int, outputs: int, size: int = 1, stride: int = 1, padding: int = 0, std: float = 0.05
) -> nn.Conv2d:
    """Build a convolution with weights from N(0, std^2) and zero biases."""
    layer = nn.Conv2d(inputs, outputs, size, stride, padding)
    nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def max_pool() -> nn.MaxPool2d:
    """Build Caffe's 3/2 max-pooling, which rounds the size of the map up."""
    return nn.MaxPool2d(3, 2, ceil_mode=True)


def nin_imagenet(
    num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5, input_scale: float = 255.0
) -> Nin:
    """Build the Caffe zoo's NiN for ImageNet.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image (224x224 in the thesis; maps 54, 27, 13, 6).
    dropout : float
        Probability before the last block.
    input_scale : float
        See `PixelRange`.

    Returns
    -------
    Nin
        7,595,176 parameters with 1000 classes (7.5M in Table 4), 6,672,676 with 100. The 8.2M of
        Table 1 for the same net follow from no reading of it.
    """
    return Nin(_imagenet_blocks(num_classes, in_channels, dropout), input_scale)


def nin_refactor_layer1(
    num_classes: int = 1000,
    in_channels: int = 3,
    basis: str = "free",
    keep_cccp: bool = True,
    dropout: float = 0.5,
    input_scale: float = 255.0,
) -> Nin:
    """Build NiN with its first convolution factorised into 37 basis filters and alphas (Table 2).

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the image.
    basis : {'free', 'gaussian'}
        Learn the 11x11 basis filters, or fix them to third order at scales 1, 2, 4, 8.
    keep_cccp : bool
        Keep both 1x1 layers behind the alphas; otherwise the alphas take the first one's place,
        as in an RFNiN block.
    dropout : float
        Probability before the last block.
    input_scale : float
        See `PixelRange`.

    Returns
    -------
    Nin
        With 1000 classes 7,570,984 parameters (without `keep_cccp` 7,561,672), and 4,477 more
        for a free basis. The thesis prints 7.47M for both.
    """
    if basis not in BASES:
        raise ValueError(f"basis must be one of {', '.join(BASES)}; got {basis!r}")
    blocks = _imagenet_blocks(num_classes, in_channels, dropout)
    width, sigmas = IMAGENET_WIDTHS[0], dyadic_sigmas(4)
    if basis == "gaussian":
        first = GaussianConv2d(
            *(in_channels, width),
            order=3,
            sigmas=sigmas,
            kernel_size=11,
            stride=4,
            padding="valid",
            way="repeatable",
        )
    else:
        atoms = len(GaussianBasis(3, sigmas, 11))
        first = LearnedBasisConv2d(in_channels, width, atoms, 11, 4, "valid")
    blocks[0] = [first, *blocks[0][1 if keep_cccp else 3 :]]
    return Nin(blocks, input_scale)


def nin_cifar(
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.5,
    second_pool: str = "average",
    input_scale: float = 4.0,
) -> Nin:
    """Build NiN for CIFAR.

    Parameters
    ----------
    num_classes, in_channels : int
        Outputs, and channels of the 32x32 image.
    dropout : float
        Probability after the first and the second pooling.
    second_pool : {'average', 'max'}
        Of the Caffe file, or of the cuda-convnet one.
    input_scale : float
        See `PixelRange`; about 4 gives images in [0, 1] the unit deviation of the whitened ones
        that the released net was trained on.

    Returns
    -------
    Nin
        966,986 parameters with 10 classes, 984,356 with 100 (.98M in chapter 5).
    """
    if second_pool not in ("average", "max"):
        raise ValueError(f"second_pool must be 'average' or 'max', got {second_pool!r}")
    averaging = [nn.ReLU(), nn.AvgPool2d(3, 2, ceil_mode=True)]
    pooling = averaging if second_pool == "average" else [max_pool(), nn.ReLU()]
    blocks = [
        [
            *_spatial(in_channels, 192, 5, padding=2),
            *_pointwise(192, 160),
            convolution(160, 96),
            max_pool(),
            nn.ReLU(),
            nn.Dropout(dropout),
        ],
        [
            *_spatial(96, 192, 5, padding=2),
            *_pointwise(192, 192),
            convolution(192, 192),
            *pooling,
            nn.Dropout(dropout),
        ],
        [
            *_spatial(192, 192, 3, padding=1),
            *_pointwise(192, 192),
            *_pointwise(192, num_classes),
        ],
    ]
    return Nin(blocks, input_scale)


def _spatial(
    inputs: int, outputs: int, size: int, stride: int = 1, padding: int = 0, std: float = 0.05
) -> list[nn.Module]:
    return [convolution(inputs, outputs, size, stride, padding, std), nn.ReLU()]


def _pointwise(inputs: int, outputs: int, std: float = 0.05) -> list[nn.Module]:
    return [convolution(inputs, outputs, std=std), nn.ReLU()]


def _imagenet_blocks(num_classes: int, in_channels: int, dropout: float) -> list[list[nn.Module]]:
    """List the layers of the four blocks; a block begins with convolution and ReLU."""
    first, second, third, fourth = IMAGENET_WIDTHS
    spatial = [
        _spatial(in_channels, first, 11, stride=4, std=0.01),
        _spatial(first, second, 5, padding=2),
        _spatial(second, third, 3, padding=1, std=0.01),
        _spatial(third, fourth, 3, padding=1),
    ]
    blocks = [
        [*layers, *_pointwise(width, width), convolution(width, width), max_pool(), nn.ReLU()]
        for layers, width in zip(spatial[:3], IMAGENET_WIDTHS, strict=False)
    ]
    blocks[2].append(nn.Dropout(dropout))
    blocks.append(
        [*spatial[3], *_pointwise(fourth, fourth), *_pointwise(fourth, num_classes, std=0.01)]
    )
    return blocks
