"""`MixtureConvolution`: what layers share whose filters are mixtures of atoms, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._banded import output_length
from structnets.nn._collapsing import plain_convolution, plain_parameters
from structnets.nn._convolution_arguments import (
    PaddingMode,
    check_channels,
    check_padding_mode,
    padding_per_axis,
    per_axis,
)
from structnets.nn._scripting import scripted_form

Axes = TypeVar("Axes", bound=tuple[int, ...])


class MixtureConvolution(nn.Module, Generic[Axes]):
    """A convolution with filters ``sum_n alpha[o, i, n] phi_n``, of an `Axes` of lengths.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    kernel_size : tuple of int
        Support of the atoms along every axis.
    stride, padding, dilation
        A number, or one per axis; the padding may be ``same``, ``valid`` or ``full``.
    groups, padding_mode
        As in ``nn.Conv2d``.

    Attributes
    ----------
    alpha : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.
    bias : Parameter, shape (out_channels,), or None
        Additive bias.
    """

    alpha: nn.Parameter
    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Axes,
        stride: int | Sequence[int],
        padding: int | Sequence[int] | str,
        dilation: int | Sequence[int],
        groups: int,
        padding_mode: PaddingMode,
    ) -> None:
        super().__init__()
        check_channels(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size: Axes = kernel_size
        dims = len(kernel_size)
        steps: Any = (per_axis("stride", stride, dims), per_axis("dilation", dilation, dims))
        self.stride: Axes = steps[0]
        self.dilation: Axes = steps[1]
        margins: Any = padding_per_axis(padding, kernel_size, steps[1])
        self.padding: Axes = margins
        self.padding_mode = padding_mode
        self._margins = check_padding_mode(padding_mode, margins)

    def make_weights(
        self,
        atoms: int,
        bias: bool,
        device: torch.device | str | None,
        dtype: torch.dtype | None,
    ) -> None:
        """Set `alpha` and `bias`, undrawn; to be called once, by the constructor."""
        shape = (self.out_channels, self.in_channels // self.groups, atoms)
        self.alpha = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(self.alpha.new_empty(self.out_channels)) if bias else None

    def draw_weights(self, energy: float) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero the bias.

        Parameters
        ----------
        energy : float
            Sum of the squared taps of all atoms.
        """
        inputs = self.in_channels // self.groups
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (inputs * energy)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    @property
    def zero_padding(self) -> Axes:
        """The padding that is left to the convolution: with zeros."""
        none: Any = (0,) * len(self.padding)
        return self.padding if self.padding_mode == "zeros" else none

    def padded(self, x: Tensor) -> Tensor:
        """Pad maps as `padding_mode` says; with zeros the convolution does."""
        if self.padding_mode == "zeros":
            return x
        return functional.pad(x, self._margins, self.padding_mode)

    def output_size(self, size: Sequence[int]) -> Axes:
        """Return the output's size along every axis, of an input (padded, unless by zeros)."""
        geometry = (size, self.kernel_size, self.stride, self.zero_padding, self.dilation)
        sizes: Any = tuple(output_length(*axis) for axis in zip(*geometry, strict=True))
        return sizes

    def kernel(self) -> Tensor:
        """Return the effective filters on the grid, shape (O, I / groups, *kernel_size)."""
        raise NotImplementedError

    def collapse(self) -> nn.Module:
        """Return an equivalent plain convolution (detached copy of the filters).

        Raises
        ------
        ValueError
            As `kernel`.
        """
        return self.plain(self.kernel(), self.padding)

    def plain(self, kernel: Tensor, padding: Sequence[int]) -> nn.Conv2d | nn.Conv3d:
        """Return a plain convolution like this one, with given filters and padding."""
        plain = plain_convolution(
            kernel,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
            self.padding_mode,
        )
        return plain.train(self.training)

    def __prepare_scriptable__(self) -> nn.Module:
        """Give ``torch.jit.script`` the plain form; in training mode refuse."""
        return scripted_form(self, self.collapse)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        inputs = self.in_channels // self.groups
        return plain_parameters(self.out_channels, inputs, self.kernel_size, self.bias is not None)
