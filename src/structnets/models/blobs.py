"""The two small nets of Figure 10: one dynamic block, and a convolutional net of its size.

Both see linear filters of the grey image, have four learned convolutions and tanh between, dilated
so that a pixel's context spans periods of a texture. The dynamic block's two filters are the
first-order Gaussian derivatives, its convolutions estimate a pose, and its answer is the gradient
steered by it. The other net learns its filters, and its further convolutions answer themselves. Its
size goes into filters and width: with one convolution more it learns slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.models.boundary import BoundaryOutputs
from structnets.nn.dynamic_steerable import DynamicSteerableBlock
from structnets.nn.pose import PoseNetwork

FRAME = 7
CONTRASTS = ("image", "set")
FILTERS = 7
_FLOOR = 0.1  # part of the set's contrast below which an image's is not raised
_LOCAL_FLOOR = 0.002  # mean square below which that of a place's surroundings is not raised


class SingleDynamicBlock(nn.Module):
    """The first-order Gaussian gradient, steered per pixel, and nothing else.

    Under rotations alone the answer is bounded by gain and gradient: where a photograph has little
    contrast it cannot but be undecided, whatever the pose. So frame maps are divided by their
    contrast, each image's own, and what is steered by that of its place, which leaves the
    direction; a pose has an amplitude, and one for the gradient along its own direction, where no
    angle need be estimated.

    Parameters
    ----------
    in_channels : int
        Of the images: 1.
    units : int
        Channels of the pose network.
    context : int
        Odd width of its convolutions.
    dilation : sequence of int
        Of each of its convolutions.
    sigma : float
        Scale of the derivatives in pixels. Textures differ in what a larger one takes away; the
        smallest are all but central differences.
    direction : bool
        The pose is estimated as a direction; false: as an angle, the thesis' words by the letter.
    amplitude : bool
        The direction's length multiplies the steered gradient; false where `direction` is.
    gauge : bool
        The gradient's length, which is the gradient steered to its own angle, joins the steered
        one with an amplitude of its own, and the pose network reads the gradient in polar form,
        too; false where `steering` is.
    steering : bool
        Apply the steering functions; else the network gives the two coefficients directly.
    surroundings : int
        Odd width in pixels of what a place's contrast is measured over before it is steered; 1: its
        own, 0: it is not.
    contrast : {"image", "set"}
        What the gradient is measured by: its root mean square in each image, or the contrast of
        all images (batch norm), which is the thesis by the letter.
    gain : float
        Of the steered gradient at first; a small one takes thousands of steps to grow.
    num_classes : int
        Maps of logits: kinds of outlines, each for itself.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    def __init__(
        self,
        in_channels: int = 1,
        units: int = 12,
        context: int = 5,
        dilation: Sequence[int] = (1, 1, 2, 4),
        sigma: float = 0.4,
        direction: bool = True,
        amplitude: bool = True,
        gauge: bool = True,
        steering: bool = True,
        surroundings: int = 1,
        contrast: str = "image",
        gain: float = 3.0,
        num_classes: int = 1,
    ) -> None:
        super().__init__()
        check_contrast(contrast)
        if surroundings < 0 or (surroundings and surroundings % 2 == 0):
            raise ValueError(f"surroundings must be odd and positive, or 0; got {surroundings}")
        self.contrast, self.surroundings = contrast, surroundings
        self.norm = nn.BatchNorm2d(in_channels, affine=False)
        self.block = DynamicSteerableBlock(
            in_channels,
            num_classes,
            order=1,
            orders=(1,),
            scale=False,
            sigmas=(sigma, sigma),
            kernel_size=FRAME,
            direction=direction,
            amplitude=amplitude and direction and steering,
            polar=gauge and steering,
            gauge=gauge and steering,
            steering=steering,
            units=units,
            pose_layers=len(dilation),
            context=context,
            dilation=dilation,
        )
        # Equal ones: signs and angles are the pose's business.
        nn.init.constant_(self.block.features.weight, gain / math.sqrt(2))

    def forward_features(self, x: Tensor) -> Tensor:
        """Refuse features: the steered gradient is the answer.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            "SingleDynamicBlock answers with the steered gradient itself and has no features: "
            "`outputs` gives the poses"
        )

    def without_classes(self) -> None:
        """Refuse, as `forward_features`."""
        self.forward_features(self.block.features.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, num_classes, H, W) of images (B, in_channels, H, W)."""
        return self.outputs(x).logits

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the logits and the poses."""
        frame = self.block.frame_maps(self.norm(x))
        if self.contrast == "image":
            frame = tuple(even_contrast(maps) for maps in frame)
        pose = self.block.estimate(frame)
        if self.surroundings:
            frame = tuple(local_contrast(maps, self.surroundings) for maps in frame)
        return BoundaryOutputs(self.block.combine(frame, pose), (), (pose,))


def even_contrast(maps: Tensor, floor: float = _FLOOR) -> Tensor:
    """Divide the gradient maps of each image by their root mean square over pixels.

    A rotation of the gradient does not change the divisor, so that what could be steered still can.

    Parameters
    ----------
    maps : Tensor, shape (B, C, M, H, W)
        Frame maps, wider than the frame; where padding was seen they are not measured.
    floor : float
        Added to the root mean square, by squares; nearly flat images stay so.
    """
    inside = slice(FRAME // 2, -(FRAME // 2))
    squares = maps[..., inside, inside].square().sum(2, keepdim=True)
    energy = squares.mean((1, 3, 4), keepdim=True)
    return maps * torch.rsqrt(energy + floor**2)


def local_contrast(maps: Tensor, width: int, floor: float = _LOCAL_FLOOR) -> Tensor:
    """Divide the gradient maps at each place by their root mean square over its surroundings.

    Parameters
    ----------
    maps : Tensor, shape (B, C, M, H, W)
        Frame maps; a rotation does not change the divisor.
    width : int
        Odd side of the square in pixels; what lies outside the image does not count.
    floor : float
        Added to the mean square.
    """
    energy = functional.avg_pool2d(
        maps.square().sum(2), width, 1, width // 2, count_include_pad=False
    )
    return maps * torch.rsqrt(energy + floor)[:, :, None]


def check_contrast(contrast: str) -> None:
    """Raise a ValueError unless `contrast` is a name that the nets know."""
    if contrast not in CONTRASTS:
        raise ValueError(f"unknown contrast {contrast!r}; allowed: {', '.join(CONTRASTS)}")


class SmallFCN(nn.Module):
    """The fully convolutional baseline of Figure 10.

    Parameters
    ----------
    in_channels : int
        Of the images: 1.
    units, context, dilation
        Channels between its last three convolutions, their odd width and dilation.
    contrast : {"image", "set"}
        Each image is standardised by its own grey values, or (batch norm of the filters' maps)
        by all images: what the dynamic block has, for a net that sees brightness too.
    num_classes : int
        Maps of logits: kinds of outlines, each for itself.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    def __init__(
        self,
        in_channels: int = 1,
        units: int = 16,
        context: int = 5,
        dilation: int | Sequence[int] = (1, 2, 4),
        contrast: str = "image",
        num_classes: int = 1,
    ) -> None:
        super().__init__()
        check_contrast(contrast)
        self.norm = nn.InstanceNorm2d(in_channels) if contrast == "image" else nn.Identity()
        filters = FILTERS * in_channels
        self.filters = nn.Conv2d(in_channels, filters, FRAME, padding=FRAME // 2)
        self.network = PoseNetwork(filters, num_classes, units, 3, context, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, num_classes, H, W) of images (B, in_channels, H, W)."""
        return self.network(self.filters(self.norm(x)))

    def outputs(self, x: Tensor) -> BoundaryOutputs:
        """Return the logits alone."""
        return BoundaryOutputs(self(x))
