"""What RFNiNs are built from: structured convolutions of one basis, and the order of a block.

A block is a structured convolution (fixed basis and learned alphas; the alphas take the place of
NiN's first 1x1 layer), ReLU, one more 1x1 convolution, ReLU. Pooling stands before the ReLU,
which is equal and cheaper.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from structnets.bases.gaussian import GaussianBasis, Norm
from structnets.models.nin import BASES, Nin, max_pool
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d

INITS = ("msra", "he")


@dataclass(frozen=True)
class Basis:
    """What the structured layers of a net share.

    Parameters
    ----------
    order : int
        Highest order of the Gaussian derivatives.
    kind : {'gaussian', 'free'}
        Fixed Gaussian filters, or as many learned ones of the same support.
    norm : {'scale', 'none'}
        See `structnets.bases.gaussian`.
    init : {'msra', 'he'}
        Alphas of variance 2 / (inputs atoms), as the released nets', or such that the composed
        filters have He et al.'s variance.
    way : str
        How `GaussianConv2d` is evaluated.
    """

    order: int = 3
    kind: str = "gaussian"
    norm: Norm = "scale"
    init: str = "msra"
    way: str = "repeatable"

    def __post_init__(self) -> None:
        """Check the names."""
        for name, value, allowed in (("basis", self.kind, BASES), ("init", self.init, INITS)):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")

    def layer(
        self,
        inputs: int,
        outputs: int,
        sigmas: tuple[float, ...],
        size: int | None,
        stride: int,
        padding: int | str,
    ) -> nn.Module:
        """Build one structured convolution."""
        gaussian = GaussianBasis(self.order, sigmas, size, norm=self.norm)
        if self.kind == "free":
            width = 2 * gaussian.radius + 1
            return LearnedBasisConv2d(inputs, outputs, len(gaussian), width, stride, padding)
        layer = GaussianConv2d(
            inputs,
            outputs,
            order=self.order,
            sigmas=sigmas,
            kernel_size=size,
            stride=stride,
            padding=padding,
            norm=self.norm,
            way=self.way,
        )
        if self.init == "msra":
            nn.init.normal_(layer.alpha, std=math.sqrt(2 / (inputs * len(gaussian))))
        return layer


@dataclass(frozen=True)
class Block:
    """One block: `cccp` says whether a 1x1 layer of the same width follows the alphas."""

    width: int
    sigmas: tuple[float, ...]
    size: int | None = None
    stride: int = 1
    padding: int | str = "same"
    cccp: bool = True
    pool: bool = True
    norm: bool = False
    dropout: float = 0.0


def assemble(
    blocks: Sequence[Block],
    basis: Basis,
    num_classes: int,
    in_channels: int,
    input_scale: float,
    linear: bool = False,
) -> Nin:
    """Build the blocks and the class layer; `linear` leaves out the ReLU of the last alphas."""
    inputs, built = in_channels, []
    for i, block in enumerate(blocks):
        last = i == len(blocks) - 1
        layers: list[nn.Module] = [
            basis.layer(inputs, block.width, block.sigmas, block.size, block.stride, block.padding)
        ]
        drop = [nn.Dropout(block.dropout)] if block.dropout else []
        layers += drop if last and linear else [nn.ReLU()]
        if block.cccp:
            layers += [_pointwise(block.width, block.width), *([max_pool()] if block.pool else [])]
            layers.append(nn.ReLU())
        if block.norm:
            layers.append(nn.BatchNorm2d(block.width, affine=False))
        if last:
            layers += [_pointwise(block.width, num_classes), nn.ReLU()]
        else:
            layers += drop
        built.append(layers)
        inputs = block.width
    return Nin(built, input_scale)


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    """Build a 1x1 convolution with He et al.'s ("MSRA") weights and zero biases."""
    layer = nn.Conv2d(inputs, outputs, 1)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer
