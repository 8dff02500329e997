"""Layers to drop into one's own PyTorch models."""

from structnets.nn.gaussian_conv import GaussianConv2d

__all__ = ["GaussianConv2d"]
