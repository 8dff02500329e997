"""Layers to drop into one's own PyTorch models."""

from structnets.nn.bottleneck import Bottleneck
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.invertible_sequential import InvertibleSequential
from structnets.nn.space_to_depth import SpaceToDepth
from structnets.nn.streams import InjectivePad, LeftInverseWarning, MergeStreams, SplitChannels

__all__ = [
    "Bottleneck",
    "GaussianConv2d",
    "InjectivePad",
    "InvertibleBlock",
    "InvertibleSequential",
    "LeftInverseWarning",
    "MergeStreams",
    "SpaceToDepth",
    "SplitChannels",
]
