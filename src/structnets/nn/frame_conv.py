"""`FrameConv2d`: a convolution that learns coefficients in a frame instead of pixels (Eq. 24)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.bases.frames import Frame, build_frame, frame_name
from structnets.nn._constants import ConstantBuffers
from structnets.nn._convolution_arguments import PaddingMode
from structnets.nn._exact_products import exact_product

IntOrPair = int | tuple[int, int]


class FrameConv2d(ConstantBuffers):
    """Drop-in for ``nn.Conv2d`` whose filters are mixtures of the atoms of a frame.

    The filter from input i to output o is ``sum_m coefficients[o, i, m] phi_m``. It is composed
    once per call and then convolved with as usual, so that a step costs what it costs in pixels.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode
        As in ``nn.Conv2d``.
    device, dtype
        As in ``nn.Conv2d``.
    frame : str or Frame
        A name of `structnets.bases.frames.FRAMES` (its atoms then have unit norm, and it must
        span), or a frame of one's own of the size of the kernel. ``image`` is Gaussian here:
        alone, a layer has nothing to alternate with.

    Attributes
    ----------
    coefficients : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    ValueError
        If the frame is unknown, has another size, or its name stands for one that cannot span
        kernels of this size.

    Limits
    ------
    Filters are composed in full precision under autocast. In half precision the coefficients of
    an ill-conditioned frame round the filters coarsely: `from_conv` refuses that.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from structnets.nn import FrameConv2d
    >>> plain = nn.Conv2d(3, 8, 3, padding=1)
    >>> layer = FrameConv2d.from_conv(plain, "gaussian")
    >>> x = torch.randn(2, 3, 16, 16)
    >>> torch.allclose(layer(x), plain(x), atol=1e-5)
    True
    """

    atoms: Tensor
    composed: Tensor | None = None  # set by `structnets.nn.composition.composed_together`

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair | str = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        frame: str | Frame = "gaussian",
    ) -> None:
        super().__init__()
        # torch checks and completes the geometry; its own weights are never allocated.
        shape = (in_channels, out_channels, kernel_size, stride, padding, dilation, groups)
        plain = nn.Conv2d(*shape, bias, padding_mode, device="meta")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size: tuple[int, int] = (plain.kernel_size[0], plain.kernel_size[1])
        self.stride, self.padding, self.dilation = plain.stride, plain.padding, plain.dilation
        self.padding_mode = padding_mode
        self._margins: list[int] = plain._reversed_padding_repeated_twice
        self.frame = resolve_frame(frame, self.kernel_size)
        self.register_constants(device, dtype)
        weights = torch.empty(
            out_channels, in_channels // groups, len(self.frame), device=device, dtype=dtype
        )
        self.coefficients = nn.Parameter(weights)
        self.bias = nn.Parameter(weights.new_empty(out_channels)) if bias else None
        self.reset_parameters()

    @classmethod
    def from_conv(cls, conv: nn.Conv2d, frame: str | Frame = "gaussian") -> FrameConv2d:
        """Express a plain convolution in a frame; same function if the frame spans.

        The coefficients are the smallest that do it, computed in double precision. If the frame
        does not span, the filters become the nearest that it has.

        Raises
        ------
        ValueError
            If the weights' precision does not hold the coefficients of a frame that spans.
        """
        weight = conv.weight
        layer = cls(**_geometry(conv), device=weight.device, dtype=weight.dtype, frame=frame)
        dual = torch.tensor(layer.frame.dual, device=weight.device, dtype=torch.float64)
        with torch.no_grad():
            layer.coefficients.copy_(weight.double().flatten(2) @ dual.flatten(1).T)
            if layer.bias is not None and conv.bias is not None:
                layer.bias.copy_(conv.bias)
                layer.bias.requires_grad_(conv.bias.requires_grad)
        layer.coefficients.requires_grad_(weight.requires_grad)
        if layer.frame.spans and not weight.is_meta:
            _check_precision(layer, weight.detach())
        return layer.train(conv.training)

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the atoms as a matrix, (M, K L)."""
        return {"atoms": self.frame.matrix}

    def reset_parameters(self) -> None:
        """Draw coefficients so that the filters have He et al.'s variance; zero the bias."""
        self.restore_constants()
        energy = float((self.frame.matrix**2).sum())
        inputs = self.in_channels // self.groups
        nn.init.normal_(self.coefficients, std=math.sqrt(2 / (inputs * energy)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps (B, in_channels, H, W); returns (B, out_channels, H', W')."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x = functional.pad(x, self._margins, self.padding_mode)
            padding = 0
        return functional.conv2d(
            x, self.kernel(), self.bias, self.stride, padding, self.dilation, self.groups
        )

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I / groups, K, L)."""
        if self.composed is not None:
            return self.composed
        atoms = self.constant("atoms", self.coefficients)
        return compose(self.coefficients, atoms).unflatten(2, self.kernel_size)

    def collapse(self) -> nn.Conv2d:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        plain = nn.Conv2d(**_geometry(self)).to(self.coefficients)
        with torch.no_grad():
            plain.weight.copy_(self.kernel())
            if self.bias is not None and plain.bias is not None:
                plain.bias.copy_(self.bias)
        return plain.train(self.training)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        filters = self.out_channels * (self.in_channels // self.groups)
        return filters * math.prod(self.kernel_size) + (
            0 if self.bias is None else self.out_channels
        )

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"groups={self.groups}, bias={self.bias is not None}, "
            f"frame={self.frame.name} ({len(self.frame)} atoms)"
        )


def compose(coefficients: Tensor, atoms: Tensor) -> Tensor:
    """Mix atoms (M, K L) by coefficients (..., M); returns filters (..., K L).

    Mixed precision does not reach this sum: rounded coefficients of an ill-conditioned frame
    would spoil the filters.
    """
    return exact_product(coefficients, atoms)


@torch.no_grad()
def _check_precision(layer: FrameConv2d, weight: Tensor) -> None:
    """Refuse coefficients that are too coarsely rounded for the weights they stand for."""
    norm = torch.linalg.vector_norm
    error = float(norm((layer.kernel() - weight).double()) / norm(weight.double()).clamp_min(1e-30))
    if error > max(2 * torch.finfo(weight.dtype).eps, 1e-4):
        raise ValueError(
            f"rounded to {weight.dtype}, coefficients in the frame {layer.frame.name!r} of "
            f"{layer.kernel_size} would change the weights by {error:.2%}: reparametrize in "
            "float32 and compute in half precision by autocast"
        )


_GEOMETRY = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")


def _geometry(conv: nn.Conv2d | FrameConv2d) -> dict[str, Any]:
    """Return the constructor's arguments that both kinds of layer share."""
    shared = {name: getattr(conv, name) for name in (*_GEOMETRY, "groups", "padding_mode")}
    return {**shared, "bias": conv.bias is not None}


def resolve_frame(frame: str | Frame, kernel_size: tuple[int, int]) -> Frame:
    """Return the frame of a layer, checked against its kernel size.

    Raises
    ------
    ValueError
        As in `FrameConv2d`.
    """
    if isinstance(frame, Frame):
        if frame.kernel_size != kernel_size:
            raise ValueError(
                f"frame {frame.name!r} has atoms of {frame.kernel_size}, the kernel {kernel_size}"
            )
        return frame
    built = build_frame(frame_name(frame), kernel_size)
    if not built.spans:
        raise ValueError(
            f"frame {built.name!r} cannot span kernels of {kernel_size}: rank {built.rank} of "
            f"{math.prod(kernel_size)}, condition {built.condition:.3g}; choose another frame, a "
            f"smaller kernel, or pass a Frame to learn in what it spans"
        )
    return built
