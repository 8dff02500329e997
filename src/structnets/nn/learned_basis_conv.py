"""`LearnedBasisConv2d`: a structured convolution whose basis is learned instead of fixed.

The control of thesis Table 2 ("NiN-refactor", basis Free): the factorisation of `GaussianConv2d`
without its Gaussians.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._collapsing import plain_convolution, plain_parameters
from structnets.nn._convolution_arguments import (
    PaddingMode,
    check_channels,
    check_padding_mode,
    padding_per_axis,
    per_axis,
)
from structnets.nn._exact_products import exact_product
from structnets.nn.gaussian_conv import Padding

Pair = tuple[int, int]


class LearnedBasisConv2d(nn.Module):
    """A convolution with filters ``sum_n alpha[o, i, n] phi_n``, both factors learned.

    The basis is shared by all pairs of channels, as the Gaussian one is.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    atoms : int
        Number N of basis filters.
    kernel_size : int or pair
        Odd support.
    stride : int or pair
        As in ``nn.Conv2d``.
    padding : int, pair, or {'same', 'valid', 'full'}
        See `GaussianConv2d`.
    bias : bool
        Learn an additive bias.
    dilation, groups, padding_mode, device, dtype
        As in ``nn.Conv2d``.

    Attributes
    ----------
    basis_kernels : Parameter, shape (N, K, K)
        The learned basis.
    alpha : Parameter, shape (out_channels, in_channels, N)
        The learned mixture.

    Raises
    ------
    ValueError
        If an argument is out of its range.

    Limits
    ------
    The mixture is composed in full precision under autocast, and convolved with in autocast's.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import LearnedBasisConv2d
    >>> layer = LearnedBasisConv2d(3, 8, atoms=6, kernel_size=5)
    >>> layer(torch.zeros(2, 3, 16, 16)).shape
    torch.Size([2, 8, 16, 16])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        atoms: int,
        kernel_size: int | Pair,
        stride: int | Pair = 1,
        padding: Padding = "same",
        bias: bool = True,
        *,
        dilation: int | Pair = 1,
        groups: int = 1,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if atoms < 1:
            raise ValueError(f"atoms must be >= 1, got {atoms}")
        check_channels(in_channels, out_channels, groups)
        size = per_axis("kernel_size", kernel_size, 2)
        if any(n % 2 == 0 for n in size):
            raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = size, per_axis("stride", stride, 2)
        self.dilation = per_axis("dilation", dilation, 2)
        self.padding = padding_per_axis(padding, size, self.dilation)
        self.padding_mode = padding_mode
        self._margins = check_padding_mode(padding_mode, self.padding)
        self.basis_kernels = nn.Parameter(torch.empty(atoms, *size, device=device, dtype=dtype))
        self.alpha = nn.Parameter(
            self.basis_kernels.new_empty(out_channels, in_channels // groups, atoms)
        )
        self.bias = nn.Parameter(self.alpha.new_empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw basis filters of unit expected norm, and alpha for He et al.'s variance."""
        atoms, *size = self.basis_kernels.shape
        nn.init.normal_(self.basis_kernels, std=1 / math.sqrt(math.prod(size)))
        inputs = self.in_channels // self.groups
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (inputs * atoms)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps of shape (B, in_channels, H, W), or without B, with the mixed filters."""
        padding = self.padding
        if self.padding_mode != "zeros":
            x, padding = functional.pad(x, self._margins, self.padding_mode), 0
        return functional.conv2d(
            x, self.kernel(), self.bias, self.stride, padding, self.dilation, self.groups
        )

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I / groups, K, L)."""
        mixed = exact_product(self.alpha, self.basis_kernels.flatten(1))
        return mixed.unflatten(2, self.kernel_size)

    def collapse(self) -> nn.Module:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        plain = plain_convolution(
            self.kernel(),
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.padding_mode,
        )
        return plain.train(self.training)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        inputs = self.in_channels // self.groups
        return plain_parameters(self.out_channels, inputs, self.kernel_size, self.bias is not None)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, atoms={len(self.basis_kernels)}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        )
