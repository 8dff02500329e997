"""Layers to drop into one's own PyTorch models."""

from structnets.nn._chosen_ways import chosen_ways, set_chosen_ways
from structnets.nn.attribute_conv import AttributeConv
from structnets.nn.bottleneck import Bottleneck
from structnets.nn.calibration import BusyMachineWarning, calibrate
from structnets.nn.checks import check_collapse, check_equivariance, check_inverse
from structnets.nn.composition import composed_together
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.nn.frame_conv import FrameConv1d, FrameConv2d, FrameConv3d
from structnets.nn.frame_conv_transpose import (
    FrameConvTranspose1d,
    FrameConvTranspose2d,
    FrameConvTranspose3d,
)
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.gaussian_conv3d import GaussianConv3d
from structnets.nn.harmonic_conv import HarmonicConv2d
from structnets.nn.hierarchical_conv import HierarchicalConv
from structnets.nn.invertible_block import InvertibleBlock
from structnets.nn.invertible_sequential import InvertibleSequential
from structnets.nn.learned_basis_conv import LearnedBasisConv2d
from structnets.nn.measured_ways import measure_ways
from structnets.nn.pose import Pose
from structnets.nn.reparametrize import Reparametrization, collapse_model, reparametrize
from structnets.nn.residual import StaticResBlock
from structnets.nn.scale_groups import scale_groups
from structnets.nn.space_to_depth import SpaceToDepth
from structnets.nn.streams import InjectivePad, LeftInverseWarning, MergeStreams, SplitChannels
from structnets.nn.structure import Structured, structure

__all__ = [
    "AttributeConv",
    "Bottleneck",
    "BusyMachineWarning",
    "DynamicSteerableBlock",
    "FrameConv1d",
    "FrameConv2d",
    "FrameConv3d",
    "FrameConvTranspose1d",
    "FrameConvTranspose2d",
    "FrameConvTranspose3d",
    "GaussianConv2d",
    "GaussianConv3d",
    "HarmonicConv2d",
    "HierarchicalConv",
    "InjectivePad",
    "InvertibleBlock",
    "InvertibleSequential",
    "LearnedBasisConv2d",
    "LeftInverseWarning",
    "MergeStreams",
    "Pose",
    "Reparametrization",
    "SpaceToDepth",
    "SplitChannels",
    "StaticResBlock",
    "Structured",
    "calibrate",
    "check_collapse",
    "check_equivariance",
    "check_inverse",
    "chosen_ways",
    "collapse_model",
    "composed_together",
    "measure_ways",
    "reparametrize",
    "scale_groups",
    "set_chosen_ways",
    "structure",
]
