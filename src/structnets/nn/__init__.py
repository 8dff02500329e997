"""Layers to drop into one's own PyTorch models."""

from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.gaussian_conv3d import GaussianConv3d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d

__all__ = ["GaussianConv2d", "GaussianConv3d", "LearnedBasisConv2d"]
