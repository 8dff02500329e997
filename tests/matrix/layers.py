"""The layers of the matrix: how each is built, and what it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn import (
    AttributeConv,
    Bottleneck,
    DynamicSteerableBlock,
    FrameConv1d,
    FrameConv2d,
    FrameConv3d,
    FrameConvTranspose2d,
    GaussianConv2d,
    GaussianConv3d,
    HarmonicConv2d,
    HierarchicalConv,
    InjectivePad,
    InvertibleBlock,
    InvertibleSequential,
    LearnedBasisConv2d,
    MergeStreams,
    SpaceToDepth,
    SplitChannels,
    StaticResBlock,
)


@dataclass(frozen=True)
class Layer:
    """One row.

    Attributes
    ----------
    build : callable
        Returns the layer, in training mode.
    shape : tuple of int
        Of one sample.
    odd : tuple of int, optional
        Of a sample of other, small and odd sizes; None where the sizes are fixed.
    normed : bool
        Whether training mode normalises over the batch.
    """

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    odd: tuple[int, ...] | None = None
    normed: bool = False

    def module(self, dtype: torch.dtype = torch.float64) -> nn.Module:
        """Build the layer with its own seed."""
        torch.manual_seed(0)
        return self.build().to(dtype)

    def samples(self, batch: int = 3, dtype: torch.dtype = torch.float64, **options: Any) -> Tensor:
        """Draw a batch."""
        torch.manual_seed(1)
        return torch.randn(batch, *self.shape, dtype=torch.float64, **options).to(dtype)


def _convolved(width: int) -> nn.Module:
    return nn.Sequential(nn.Conv2d(width, width, 3, padding=1), nn.Tanh())


def _chain() -> nn.Module:
    return InvertibleSequential(
        SpaceToDepth(2),
        SplitChannels(),
        *[InvertibleBlock(_convolved(4)) for _ in range(3)],
        MergeStreams(),
    )


_IMAGE, _ODD = (2, 10, 8), (2, 5, 7)
LAYERS: dict[str, Layer] = {
    "GaussianConv2d": Layer(lambda: GaussianConv2d(2, 4, order=2), _IMAGE, _ODD),
    "GaussianConv2d, mixed": Layer(
        lambda: GaussianConv2d(2, 4, order=2, way="mixed", padding="full"), _IMAGE, _ODD
    ),
    "GaussianConv2d, groups, dilated, circular": Layer(
        lambda: GaussianConv2d(
            2, 4, order=1, kernel_size=(3, 5), groups=2, dilation=(2, 1), padding_mode="circular"
        ),
        _IMAGE,
        _ODD,
    ),
    "GaussianConv2d, hybrid": Layer(
        lambda: GaussianConv2d(2, 4, order=2, discretisation="hybrid"), _IMAGE, _ODD
    ),
    "GaussianConv2d, learned scales": Layer(
        lambda: GaussianConv2d(2, 4, order=2, learn_sigma=True), _IMAGE, _ODD
    ),
    "GaussianConv2d, hybrid, scales per channel": Layer(
        lambda: GaussianConv2d(2, 4, order=1, discretisation="hybrid", learn_sigma="channel"),
        _IMAGE,
        _ODD,
    ),
    "GaussianConv3d": Layer(
        lambda: GaussianConv3d(2, 3, order=2, kernel_size=5), (2, 6, 5, 7), (2, 3, 5, 4)
    ),
    "FrameConv2d": Layer(lambda: FrameConv2d(2, 4, 3, padding=1), _IMAGE, _ODD),
    "FrameConv1d": Layer(lambda: FrameConv1d(2, 4, 5, padding=2), (2, 11), (2, 3)),
    "FrameConv3d": Layer(lambda: FrameConv3d(2, 3, 3, padding=1), (2, 6, 5, 7), (2, 3, 1, 4)),
    "FrameConvTranspose2d": Layer(
        lambda: FrameConvTranspose2d(2, 4, 4, stride=2, padding=1), _IMAGE, _ODD
    ),
    "LearnedBasisConv2d": Layer(lambda: LearnedBasisConv2d(2, 4, 5, 3), _IMAGE, _ODD),
    "HarmonicConv2d": Layer(lambda: HarmonicConv2d(2, 3), (2, 2, *_IMAGE), (2, 2, *_ODD)),
    "DynamicSteerableBlock": Layer(
        lambda: DynamicSteerableBlock(2, 4, order=2), _IMAGE, _ODD, True
    ),
    "AttributeConv": Layer(lambda: AttributeConv(3, (1, 3)), (5, 4, 2, 3, 4), (3, 3, 1, 2, 5)),
    "HierarchicalConv": Layer(
        lambda: HierarchicalConv(3, 4, (3, 3), affine=True), (5, 4, 2, 3, 4), (3, 3, 1, 2, 5), True
    ),
    "HierarchicalConv, (+)": Layer(
        lambda: HierarchicalConv(3, 4, (3, 3), activation=True),
        (5, 4, 2, 3, 4),
        (3, 3, 1, 2, 5),
        True,
    ),
    "Bottleneck": Layer(lambda: Bottleneck(2, 8), _IMAGE, _ODD, True),
    "StaticResBlock": Layer(lambda: StaticResBlock(2, 4), _IMAGE, _ODD, True),
    "SpaceToDepth": Layer(lambda: SpaceToDepth(2), _IMAGE),
    "InjectivePad": Layer(lambda: InjectivePad(2), _IMAGE, _ODD),
    "InvertibleSequential": Layer(_chain, _IMAGE, (2, 2, 6)),
}
