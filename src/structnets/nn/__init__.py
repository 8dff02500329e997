"""Layers to drop into one's own PyTorch models."""

from structnets.nn.composition import composed_together
from structnets.nn.frame_conv import FrameConv2d
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d
from structnets.nn.reparametrize import collapse_model, reparametrize

__all__ = [
    "FrameConv2d",
    "GaussianConv2d",
    "LearnedBasisConv2d",
    "collapse_model",
    "composed_together",
    "reparametrize",
]
