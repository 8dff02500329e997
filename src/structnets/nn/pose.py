"""Poses of filters: a small network that estimates them per pixel, and how smooth they are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from structnets.nn._modes import is_traced

DAMPING = 1e-2  # squared length of a direction below which its gradient is damped


def angle_of(directions: Tensor, damping: float = DAMPING) -> Tensor:
    """Return the angles of directions in the plane.

    An angle jumps where it has gone round, and depends on an image through an arctangent; a
    direction does neither, so that a small network learns it far sooner.

    Parameters
    ----------
    directions : Tensor, shape (B, 2 P, H, W)
        First the x, then the y of all, of any length.
    damping : float
        Added to the squared lengths that gradients are divided by; 0 gives the exact gradients of
        the arctangent, which grow without bound where a direction has next to no length.

    Returns
    -------
    Tensor, shape (B, P, H, W)
        Radians in (-pi, pi]; 0 where both are 0. Gradients are those of the arctangent, damped
        where a direction has next to no length.

    Raises
    ------
    RuntimeError
        If damped gradients are differentiated again: they are no derivatives of the angles, so
        that a second derivative would be wrong. ``damping=0`` has second derivatives.

    Limits
    ------
    Nothing tells that damped gradients are differentiated again where the angles were recorded by
    ``torch.jit.trace`` or by ``torch.compile`` with its backend ``eager``: second derivatives are
    then wrong. Other backends refuse them.
    """
    x, y = directions.chunk(2, dim=1)
    if damping == 0:
        return torch.atan2(y, x)
    # torch.compile takes no number as a custom function's argument, a trace no custom function.
    if is_traced(x):
        scale = (x.square() + y.square() + damping).detach()
        tangent = y * (x.detach() / scale) - x * (y.detach() / scale)
        return torch.atan2(y, x).detach() + (tangent - tangent.detach())
    return _Angle.apply(x, y, damping)


class _Angle(torch.autograd.Function):
    """The arctangent with damped derivatives; in the form that functional transforms take."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, y: Tensor, damping: float) -> Tensor:
        return torch.atan2(y, x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, float], output: Tensor) -> None:
        x, y, ctx.damping = inputs
        ctx.save_for_backward(x, y)
        ctx.save_for_forward(x, y)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        return *_DampedGradient.apply(*ctx.saved_tensors, gradient, ctx.damping), None

    @staticmethod
    def jvp(ctx: Any, x_tangent: Tensor, y_tangent: Tensor, _: None) -> Tensor:
        x, y = ctx.saved_tensors
        return (x * y_tangent - y * x_tangent) / (x.square() + y.square() + ctx.damping)


class _DampedGradient(torch.autograd.Function):
    """What `_Angle` hands back, which cannot be differentiated."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, y: Tensor, gradient: Tensor, damping: float) -> tuple[Tensor, Tensor]:
        scaled = gradient / (x.square() + y.square() + damping)
        return -y * scaled, x * scaled

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        raise RuntimeError(
            "the damped gradients of a dynamic steerable block's angles have no derivatives: "
            "build it with angle_damping=0 to differentiate twice"
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        _DampedGradient.backward(ctx)


@dataclass
class Pose:
    """What a dynamic block chose at every pixel; entries not estimated are None.

    Attributes
    ----------
    angle : Tensor, shape (B, P, H, W)
        Radians, any real number; see `wrapped_angle`.
    sigma : Tensor, shape (B, P, H, W)
        Scale in pixels.
    gains : Tensor, shape (B, P, M, H, W)
        Free projection coefficients, where steering functions are not used.
    amplitude : Tensor, shape (B, P, H, W)
        Factor of the steered maps, at least 0.
    gauge : Tensor, shape (B, P, H, W)
        Factor of the pairs' lengths, of either sign.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import Pose
    >>> Pose(angle=torch.zeros(1, 1, 4, 4)).roughness()
    tensor(0.)
    """

    angle: Tensor | None = None
    sigma: Tensor | None = None
    gains: Tensor | None = None
    amplitude: Tensor | None = None
    gauge: Tensor | None = None

    @property
    def wrapped_angle(self) -> Tensor | None:
        """The angle in (-pi, pi], for pictures."""
        if self.angle is None:
            return None
        return torch.atan2(torch.sin(self.angle), torch.cos(self.angle))

    def roughness(self) -> Tensor:
        """Return the mean squared difference between neighbouring poses.

        Angles are compared as directions, scales by their logarithms; a regulariser to add to a
        loss where poses should vary slowly.
        """
        fields = [] if self.gains is None else [self.gains.flatten(1, 2)]
        if self.angle is not None:
            fields += [torch.cos(self.angle), torch.sin(self.angle)]
        if self.sigma is not None:
            fields.append(torch.log(self.sigma))
        fields += [field for field in (self.amplitude, self.gauge) if field is not None]
        if not fields:
            raise ValueError("a pose without angle, sigma and gains has no roughness")
        field = torch.cat(fields, 1)
        return _mean_square(field.diff(dim=2)) + _mean_square(field.diff(dim=3))


def _mean_square(differences: Tensor) -> Tensor:
    """Return 0 of none: a map one pixel high has no neighbours above."""
    squares = differences.square()
    return squares.mean() if squares.numel() else squares.sum()


class PoseNetwork(nn.Sequential):
    """The interpolator F of Eq. 29: convolutions with tanh between, at full resolution.

    Its input is standardised by a batch norm without weights (ours): frame responses are small
    against 1, where tanh bends.

    Parameters
    ----------
    in_channels, out_channels : int
        Frame maps, and pose variables.
    units : int
        Channels between; the thesis takes 8 to 16.
    layers : int
        Convolutions; the thesis takes three.
    kernel_size : int
        Odd width of every convolution: the context of a pose is ``sum(dilation) * (kernel_size - 1)
        + 1`` pixels wide, besides the frame's own.
    dilation : int or sequence of int
        Of every convolution, or of each; a growing one widens the context at no cost.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        units: int = 16,
        layers: int = 3,
        kernel_size: int = 3,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        if layers < 1:
            raise ValueError(f"layers must be >= 1, got {layers}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
        dilations = [dilation] * layers if isinstance(dilation, int) else list(dilation)
        if len(dilations) != layers:
            raise ValueError(
                f"dilation must be one number or {layers}, one a layer; got {dilation}"
            )
        widths = [in_channels, *[units] * (layers - 1), out_channels]
        modules: list[nn.Module] = [nn.BatchNorm2d(in_channels, affine=False)]
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            if i:
                modules.append(nn.Tanh())
            apart = dilations[i]
            padding = apart * (kernel_size // 2)
            conv = nn.Conv2d(inputs, outputs, kernel_size, padding=padding, dilation=apart)
            nn.init.xavier_normal_(conv.weight)
            nn.init.zeros_(cast(Tensor, conv.bias))
            modules.append(conv)
        super().__init__(*modules)
