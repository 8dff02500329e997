"""`FrameConvolution`: what convolutions share whose filters are learned in a frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from structnets.bases.frames import Frame, build_frame, frame_name
from structnets.nn._constants import ConstantBuffers
from structnets.nn._convolution_arguments import per_axis
from structnets.nn._exact_products import doubled, exact_product
from structnets.nn._modes import is_traced
from structnets.nn._scripting import scripted_form

Axes = int | tuple[int, ...]

COMPOSED: ContextVar[Mapping[nn.Module, Tensor]] = ContextVar(
    "composed", default=MappingProxyType({})
)
"""By layer, filters of `structnets.nn.composition.composed_together`: each thread sees its own."""

NARROW, MANY_FILTERS = 16, 1024


class FrameConvolution(ConstantBuffers):
    """A convolution, transposed or not, whose filters are mixtures of the atoms of a frame.

    Parameters
    ----------
    plain : nn.Module
        Of `plain_type`, on the meta device: torch checks and completes the geometry, and weights
        in pixels are never allocated.
    device, dtype
        As in ``nn.Conv2d``.
    frame : str or Frame
        A name, or a frame of the size of the kernel.

    Attributes
    ----------
    plain_type : type
        PyTorch's layer of the same arguments.
    geometry : tuple of str
        Those of its arguments that are its attributes too.
    """

    plain_type: ClassVar[type[_ConvNd]]
    _convolve: ClassVar[Callable[..., Tensor]]
    geometry: ClassVar[tuple[str, ...]] = (
        *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation"),
        *("groups", "padding_mode"),
    )
    atoms: Tensor
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...] | str
    dilation: tuple[int, ...]
    in_channels: int
    out_channels: int
    groups: int
    padding_mode: str

    def __init__(
        self,
        plain: _ConvNd,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
        frame: str | Frame,
    ) -> None:
        super().__init__()
        for name in self.geometry:
            setattr(self, name, getattr(plain, name))
        self.frame = resolve_frame(frame, self.kernel_size)
        self.register_constants(device, dtype)
        shape = (*plain.weight.shape[:2], len(self.frame))
        weights = torch.empty(shape, device=device, dtype=dtype)
        self.coefficients = nn.Parameter(weights)
        bias = plain.bias is not None
        self.bias = nn.Parameter(weights.new_empty(self.out_channels)) if bias else None
        self.reset_parameters()

    @property
    def margins(self) -> list[int]:
        """Samples that `padding` adds before and after the last axis, then the one before it."""
        dims = len(self.kernel_size)
        dilation = per_axis("dilation", self.dilation, dims)
        if self.padding == "same":
            added = [d * (size - 1) for d, size in zip(dilation, self.kernel_size, strict=True)]
        else:
            sides = 0 if isinstance(self.padding, str) else self.padding
            added = [2 * n for n in per_axis("padding", sides, dims, 0)]
        return [n for total in reversed(added) for n in (total // 2, total - total // 2)]

    @classmethod
    def from_conv(cls, conv: Any, frame: str | Frame = "gaussian") -> Self:
        """Express a plain convolution in a frame; same function if the frame spans.

        The coefficients are the smallest that do it, computed in double precision. If the frame
        does not span, the filters become the nearest that it has.

        Raises
        ------
        TypeError
            If `conv` is of another kind.
        ValueError
            If the weights' precision does not hold the coefficients of a frame that spans.
        """
        if not isinstance(conv, cls.plain_type):
            raise TypeError(
                f"{cls.__name__}.from_conv takes an nn.{cls.plain_type.__name__}, got "
                f"{type(conv).__name__}"
            )
        weight = conv.weight
        options = cls._arguments(conv)
        layer = cls(**options, device=weight.device, dtype=weight.dtype, frame=frame)
        exact = doubled(weight)
        dual = torch.tensor(layer.frame.dual, device=weight.device, dtype=exact.dtype)
        with torch.no_grad():
            layer.coefficients.copy_(exact.flatten(2) @ dual.flatten(1).T)
            if layer.bias is not None and conv.bias is not None:
                layer.bias.copy_(conv.bias)
                layer.bias.requires_grad_(conv.bias.requires_grad)
        layer.coefficients.requires_grad_(weight.requires_grad)
        if layer.frame.spans and not weight.is_meta:
            _check_precision(layer, weight.detach())
        return layer.train(conv.training)

    @classmethod
    def _arguments(cls, conv: Any) -> dict[str, Any]:
        """Return the constructor's arguments that both kinds of layer share."""
        shared = {name: getattr(conv, name) for name in cls.geometry}
        return {**shared, "bias": conv.bias is not None}

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the atoms as a matrix, (M, taps)."""
        return {"atoms": self.frame.matrix}

    def reset_parameters(self) -> None:
        """Draw coefficients so that the filters have He et al.'s variance; zero the bias."""
        self.restore_constants()
        energy = float((self.frame.matrix**2).sum())
        inputs = self.in_channels // self.groups
        nn.init.normal_(self.coefficients, std=math.sqrt(2 / (inputs * energy)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, in the shape of the plain weights."""
        composed = self.composed()
        if composed is not None:
            return composed
        atoms = self.constant("atoms", self.coefficients)
        mix = _compose_pairs if _in_pairs(self.coefficients, atoms) else compose
        return mix(self.coefficients, atoms).unflatten(2, self.kernel_size)

    def composed(self) -> Tensor | None:
        """Return the filters that were composed together with those of other layers, if any."""
        return None if torch.compiler.is_compiling() else COMPOSED.get().get(self)

    def collapse(self) -> Any:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        build: Any = self.plain_type
        plain = build(**self._arguments(self)).to(self.coefficients)
        with torch.no_grad():
            plain.weight.copy_(self.kernel())
            if self.bias is not None and plain.bias is not None:
                plain.bias.copy_(self.bias)
        return plain.train(self.training)

    def __prepare_scriptable__(self) -> nn.Module:
        """Give ``torch.jit.script`` the plain form; in training mode refuse."""
        return scripted_form(self, self.collapse)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        filters = self.coefficients.shape[0] * self.coefficients.shape[1]
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
    """Mix atoms (M, taps) by coefficients (..., M); returns filters (..., taps).

    Mixed precision does not reach this sum: rounded coefficients of an ill-conditioned frame
    would spoil the filters.
    """
    return exact_product(coefficients, atoms)


def _compose_pairs(coefficients: Tensor, atoms: Tensor) -> Tensor:
    """Compose filters (O, I, taps), I even, for two input channels at a time.

    Of matrices of fewer than sixteen columns BLAS takes two to four times as long to make as many
    filters. Two that share an output channel are made together, so that what is not finite spoils
    no other channel.
    """
    inputs, taps = coefficients.shape[1], atoms.shape[1]
    pairs = coefficients.unflatten(1, (inputs // 2, 2)).flatten(2)
    return compose(pairs, torch.block_diag(atoms, atoms)).unflatten(2, (2, taps)).flatten(1, 2)


def _in_pairs(coefficients: Tensor, atoms: Tensor) -> bool:
    if is_traced(coefficients) or atoms.device.type != "cpu" or atoms.shape[1] >= NARROW:
        return False
    outputs, inputs = coefficients.shape[:2]
    return inputs % 2 == 0 and outputs * inputs >= MANY_FILTERS


@torch.no_grad()
def _check_precision(layer: FrameConvolution, weight: Tensor) -> None:
    """Refuse coefficients that are too coarsely rounded for the weights they stand for."""
    norm = torch.linalg.vector_norm
    error = float(norm(doubled(layer.kernel() - weight)) / norm(doubled(weight)).clamp_min(1e-30))
    if error > max(2 * torch.finfo(weight.dtype).eps, 1e-4):
        raise ValueError(
            f"rounded to {weight.dtype}, coefficients in the frame {layer.frame.name!r} of "
            f"{layer.kernel_size} would change the weights by {error:.2%}: reparametrize in "
            "float32 and compute in half precision by autocast"
        )


def resolve_frame(frame: str | Frame, kernel_size: tuple[int, ...]) -> Frame:
    """Return the frame of a layer, checked against its kernel size.

    Raises
    ------
    ValueError
        As in `structnets.nn.FrameConv2d`.
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
