"""Layers to drop into one's own PyTorch models."""

from structnets.nn.composition import composed_together
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.nn.frame_conv import FrameConv2d
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.harmonic_conv import HarmonicConv2d
from structnets.nn.pose import Pose
from structnets.nn.reparametrize import collapse_model, reparametrize
from structnets.nn.residual import StaticResBlock

__all__ = [
    "DynamicSteerableBlock",
    "FrameConv2d",
    "GaussianConv2d",
    "HarmonicConv2d",
    "Pose",
    "StaticResBlock",
    "collapse_model",
    "composed_together",
    "reparametrize",
]
