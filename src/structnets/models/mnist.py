"""The nets of the MNIST study (thesis section 3.4.2, Figure 6).

Three blocks of convolution, ReLU, max-pooling 3/2, cross-channel normalisation and dropout, then
one linear layer; the sizes are those of the authors' released code. RFNN and CNN-B share it and
differ in the convolution only. Maps: 28 -> 13 -> 9 -> 7 (the second and third convolution are
"full", their output larger than their input).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.gaussian import dyadic_sigmas
from structnets.nn._convolution_arguments import Padding, padding_per_axis
from structnets.nn._modes import is_transformed
from structnets.nn._wide_convolution import WideConvolution
from structnets.nn.cross_channel_norm import CrossChannelNorm
from structnets.nn.gaussian_conv import GaussianConv2d

WIDTH = 64
PADDINGS: tuple[Padding, ...] = ("same", "full", "full")


class PoolRelu(nn.Module):
    """Max-pooling 3/2 then ReLU: equal to ReLU then pooling, on a quarter of the values."""

    def forward(self, x: Tensor) -> Tensor:
        """Pool maps of shape (B, C, H, W); channels last in memory, where pooling vectorises."""
        if not is_transformed():  # vmap knows the ordinary layout only
            x = x.contiguous(memory_format=torch.channels_last)
        return functional.relu(functional.max_pool2d(x, 3, 2))


class MnistNet(nn.Module):
    """The shared skeleton around three convolutions.

    Parameters
    ----------
    convolutions : sequence of three modules
        From the images', 64 and 64 channels to 64.
    num_classes : int
        Outputs.
    image_size : int
        Width of the square input in pixels.
    dropout : sequence of float
        Probability after each block, then before the linear layer.
    """

    def __init__(
        self,
        convolutions: Sequence[nn.Module],
        num_classes: int = 10,
        image_size: int = 28,
        dropout: Sequence[float] = (0.2, 0.2, 0.0, 0.7),
    ) -> None:
        super().__init__()
        blocks: OrderedDict[str, nn.Module] = OrderedDict()
        for i, convolution in enumerate(convolutions):
            blocks[f"conv{i + 1}"] = convolution
            blocks[f"pool{i + 1}"] = PoolRelu()
            blocks[f"norm{i + 1}"] = CrossChannelNorm(WIDTH)
            blocks[f"drop{i + 1}"] = nn.Dropout(dropout[i])
        self.features = nn.Sequential(blocks)
        side = image_size
        for convolution in convolutions:
            side = (_output_side(convolution, side) - 3) // 2 + 1
        self.drop = nn.Dropout(dropout[3])
        self.head = nn.Linear(WIDTH * side * side, num_classes, bias=False)
        nn.init.normal_(self.head.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Classify images of shape (B, C, H, W) in [0, 1]; returns logits (B, classes)."""
        return self.head(self.drop(self.features(x).flatten(1)))


def rfnn(
    num_classes: int = 10,
    image_size: int = 28,
    orders: Sequence[int] = (3, 2, 2),
    sigmas: Sequence[float] = (1.5, 1.0, 1.0),
    scales: int = 1,
    kernel_sizes: Sequence[int] | None = None,
    init: str = "uniform",
    way: str = "repeatable",
    in_channels: int = 1,
) -> MnistNet:
    """Build the structured receptive field net of Figure 6.

    Parameters
    ----------
    num_classes, image_size : int
        Outputs, and width of the input.
    orders : sequence of int
        Highest derivative order per layer. The released code uses 3, 2, 2; the thesis says
        third order throughout.
    sigmas : sequence of float
        Smallest scale per layer, in pixels.
    scales : int
        Dyadic scales per layer; the thesis found one to be enough.
    kernel_sizes : sequence of int, optional
        Supports; by default 2 ceil(3 sigma) + 1 of the largest scale (11, 7, 7).
    init : {'uniform', 'he'}
        Alphas from U(-1, 1) as in the released code, or of He et al.'s variance.
    way : str
        How the layers are evaluated, see `GaussianConv2d`.
    in_channels : int
        Channels of the images.

    Returns
    -------
    MnistNet
        81,152 parameters by default; 113,920 with third order throughout.
    """
    if init not in ("uniform", "he"):
        raise ValueError(f"init must be 'uniform' or 'he', got {init!r}")
    for name, value in (
        ("orders", orders),
        ("sigmas", sigmas),
        ("kernel_sizes", kernel_sizes or PADDINGS),
    ):
        if len(value) != 3:
            raise ValueError(f"{name} must have one value per layer (3), got {list(value)}")
    layers = []
    for i in range(3):
        layer = GaussianConv2d(
            in_channels if i == 0 else WIDTH,
            WIDTH,
            order=orders[i],
            sigmas=dyadic_sigmas(scales, sigmas[i]),
            kernel_size=kernel_sizes[i] if kernel_sizes else None,
            padding=PADDINGS[i],
            bias=False,
            way=way,
        )
        if init == "uniform":
            nn.init.uniform_(layer.alpha, -1, 1)
        layers.append(layer)
    return MnistNet(layers, num_classes, image_size)


def cnn_b(
    num_classes: int = 10,
    image_size: int = 28,
    kernel_sizes: Sequence[int] = (11, 7, 7),
    in_channels: int = 1,
) -> MnistNet:
    """Build CNN-B of Figure 6: the same net with free filters.

    Parameters
    ----------
    num_classes, image_size : int
        Outputs, and width of the input.
    kernel_sizes : sequence of int
        Odd filter widths. The thesis does not print them: 11, 7, 7 equal the RFNN's support,
        5, 5, 5 are those of the net it refers to.
    in_channels : int
        Channels of the images.
    """
    if len(kernel_sizes) != 3:
        raise ValueError(
            f"kernel_sizes must have one value per layer (3), got {list(kernel_sizes)}"
        )
    for size in kernel_sizes:
        if size < 1 or size % 2 == 0:
            raise ValueError(f"kernel_sizes must be odd and positive, got {size}")
    layers = [
        WideConvolution(
            in_channels if i == 0 else WIDTH,
            WIDTH,
            size,
            padding=padding_per_axis(PADDINGS[i], (size,), (1,))[0],
            bias=False,
        )
        for i, size in enumerate(kernel_sizes)
    ]
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return MnistNet(layers, num_classes, image_size)


def _output_side(convolution: nn.Module, side: int) -> int:
    if not isinstance(convolution, (GaussianConv2d, nn.Conv2d)):
        raise ValueError(f"convolutions must be GaussianConv2d or Conv2d, got {convolution}")
    size, padding = convolution.kernel_size, convolution.padding
    width = size if isinstance(size, int) else size[0]
    return side + 2 * int(padding[0]) - width + 1
