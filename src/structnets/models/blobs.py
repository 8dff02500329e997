"""The two small nets of Figure 10: one dynamic block, and a convolutional net of its size.

Both see linear filters of the grey image, standardised, and have three convolutions of 16 channels
with tanh between. The dynamic block's two filters are the first-order Gaussian derivatives, its
convolutions estimate one angle, and its answer is the gradient steered by it. The other net learns
its filters, three for the sake of the size, and its convolutions answer themselves.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from structnets.models.boundary import BoundaryOutputs
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.nn.pose import PoseNetwork

FRAME = 7


class SingleDynamicBlock(nn.Module):
    """The first-order Gaussian gradient, steered per pixel, and nothing else.

    Parameters
    ----------
    in_channels : int
        Of the images: 1.
    units : int
        Channels of the pose network.
    context : int
        Odd width of its three convolutions.
    sigma : float
        Scale of the derivatives in pixels.
    direction : bool
        The pose is estimated as a direction; false: as an angle, the thesis' words by the letter.
    steering : bool
        Apply the steering functions; else the network gives the two coefficients directly.
    gain : float
        Of the steered gradient at first. The gradient of a texture is small, and the answer is
        bounded by it, so that a small gain takes thousands of steps to grow.
    """

    def __init__(
        self,
        in_channels: int = 1,
        units: int = 16,
        context: int = 7,
        sigma: float = 1.0,
        direction: bool = True,
        steering: bool = True,
        gain: float = 3.0,
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(in_channels, affine=False)
        self.block = DynamicSteerableBlock(
            in_channels,
            1,
            order=1,
            orders=(1,),
            scale=False,
            sigmas=(sigma, sigma),
            kernel_size=FRAME,
            direction=direction,
            steering=steering,
            units=units,
            context=context,
        )
        with torch.no_grad():
            self.block.features.weight.mul_(gain / self.block.features.weight.norm())

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) of images (B, in_channels, H, W)."""
        return self.block(self.norm(x))

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the logits and the poses."""
        logits, pose = self.block.with_pose(self.norm(x))
        return BoundaryOutputs(logits, (), (pose,))


class SmallFCN(nn.Module):
    """The fully convolutional baseline of Figure 10.

    Parameters
    ----------
    in_channels, units, context : int
        As in `SingleDynamicBlock`.
    """

    def __init__(self, in_channels: int = 1, units: int = 16, context: int = 7) -> None:
        super().__init__()
        filters = 3 * in_channels
        self.filters = nn.Conv2d(in_channels, filters, FRAME, padding=FRAME // 2)
        self.network = PoseNetwork(filters, 1, units, 3, context)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, 1, H, W) of images (B, in_channels, H, W)."""
        return self.network(self.filters(x))

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the logits alone."""
        return BoundaryOutputs(self(x))
