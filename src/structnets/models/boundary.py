"""Boundary detectors of section 4.4.2: the dynamic residual net, its static twin, small blocks.

Every detector maps images (B, C, H, W) to logits (B, num_classes, H, W) at full resolution, one
map by default; ``outputs``
gives what a loss may need besides. The thesis' appendix with the exact net is not to be had;
choices that its text leaves open are marked as ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from structnets.models.counting import trained_parameters
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.nn.pose import Pose
from structnets.nn.residual import StaticResBlock, conv3x3, hidden_width

STEM, BLOCK, TOP = 64, 128, 256
STAGES = 2


@dataclass
class BoundaryOutputs:
    """What a boundary detector computes for its loss.

    Attributes
    ----------
    logits : Tensor, shape (B, num_classes, H, W)
        The prediction.
    sides : tuple of Tensor
        Further logits of the same shape that are supervised too (`HNet`).
    poses : tuple of Pose
        Of the dynamic blocks, first to last.
    """

    logits: Tensor
    sides: tuple[Tensor, ...] = ()
    poses: tuple[Pose, ...] = ()

    def roughness(self) -> Tensor:
        """Return the mean roughness of the poses, 0 without any: a regulariser."""
        total = self.logits.new_zeros(())
        for pose in self.poses:
            total = total + pose.roughness() / len(self.poses)
        return total


def scaled_widths(widths: Sequence[int], width: float) -> list[int]:
    """Multiply numbers of channels, rounding to at least 1.

    Raises
    ------
    ValueError
        If the multiplier is not positive.
    """
    if not width > 0:
        raise ValueError(f"width must be > 0, got {width}")
    return [max(1, round(channels * width)) for channels in widths]


class DynResNet(nn.Module):
    """Conv 64 -> 2 x (dynamic 128 -> static 128) -> conv 256 -> 1 logit (Figure 11).

    Batch norm and ReLU precede every block and follow the convolutions. Ours: 3 x 3
    convolutions, full resolution throughout, dilation in the second halves for context, the
    1 x 1 convolution to the logit.

    Parameters
    ----------
    in_channels : int
        Of the images.
    width : float
        Multiplier of all channels.
    dynamic : bool
        False replaces the dynamic blocks by static ones of as many parameters: the static twin.
    order : int
        Of the Gaussian derivatives of the dynamic blocks.
    kernel_size : int
        Of their frame, in pixels.
    nodes : int
        Scales between 0.8 and 1.5 that they interpolate between.
    direction : bool
        Poses are estimated as directions, not as angles: ours.
    steering : bool
        Apply the steering functions.
    poses : int, optional
        Poses per pixel and dynamic block; by default one per channel.
    dilations : sequence of int
        Of the static block and the pose network of each stage.
    num_classes : int
        Maps of logits: kinds of boundaries, each for itself.
    """

    def __init__(
        self,
        in_channels: int = 3,
        width: float = 1.0,
        dynamic: bool = True,
        order: int = 2,
        kernel_size: int = 7,
        nodes: int = 3,
        direction: bool = True,
        steering: bool = True,
        poses: int | None = None,
        dilations: Sequence[int] = (2, 4),
        num_classes: int = 1,
    ) -> None:
        super().__init__()
        if len(dilations) != STAGES:
            raise ValueError(f"dilations must be {STAGES}, one per stage; got {list(dilations)}")
        stem, channels, top = scaled_widths((STEM, BLOCK, TOP), width)
        self.stem = conv3x3(in_channels, stem)
        inputs = stem
        blocks: list[nn.Module] = []
        for dilation in dilations:
            block = DynResBlock(
                inputs,
                channels,
                order=order,
                kernel_size=kernel_size,
                nodes=nodes,
                direction=direction,
                steering=steering,
                poses=poses,
                dilation=dilation,
            )
            if dynamic:
                blocks.append(block)
            else:
                hidden = hidden_width(trained_parameters(block), inputs, channels)
                blocks.append(StaticResBlock(inputs, channels, hidden, dilation))
            blocks.append(StaticResBlock(channels, channels, dilation=dilation))
            inputs = channels
        self.blocks = nn.ModuleList(blocks)
        self.norm = nn.BatchNorm2d(channels)
        self.top = conv3x3(channels, top)
        self.top_norm = nn.BatchNorm2d(top)
        self.logit = nn.Conv2d(top, num_classes, 1)
        static = [m for m in blocks if isinstance(m, StaticResBlock)]
        for conv in (self.stem, self.top, *(c for m in static for c in m.convolutions)):
            nn.init.kaiming_normal_(conv.get_parameter("weight"), nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, num_classes, H, W) of images (B, in_channels, H, W)."""
        return self.outputs(x).logits

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the logits and the poses of the dynamic blocks."""
        poses = []
        x = self.stem(x)
        for block in self.blocks:
            if isinstance(block, DynResBlock):
                x, pose = block.with_pose(x)
                poses.append(pose)
            else:
                x = block(x)
        x = self.top(functional.relu(self.norm(x), inplace=True))
        x = functional.relu(self.top_norm(x), inplace=True)
        return BoundaryOutputs(self.logit(x), (), tuple(poses))


class DynResBlock(nn.Module):
    """Batch norm, ReLU and a `DynamicSteerableBlock` (Eq. 29: a product in place of the sum).

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    **options
        Of `DynamicSteerableBlock`.
    """

    def __init__(self, in_channels: int, out_channels: int, **options: Any) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels)
        self.block = DynamicSteerableBlock(in_channels, out_channels, bias=False, **options)

    def with_pose(self, x: Tensor) -> tuple[Tensor, Pose]:
        """Transform maps (B, C, H, W); returns the output and the poses it was made with."""
        return self.block.with_pose(functional.relu(self.norm(x)))

    def forward(self, x: Tensor) -> Tensor:
        """Transform maps (B, C, H, W)."""
        return self.with_pose(x)[0]
