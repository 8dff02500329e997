"""Layers to drop into one's own PyTorch models."""

from structnets.nn.attribute_conv import AttributeConv
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.hierarchical_conv import HierarchicalConv

__all__ = ["AttributeConv", "GaussianConv2d", "HierarchicalConv"]
