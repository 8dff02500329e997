"""`LearnedBasisConv2d`: a structured convolution whose basis is learned instead of fixed.

The control of thesis Table 2 ("NiN-refactor", basis Free): the factorisation of `GaussianConv2d`
without its Gaussians.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn.collapsing import plain_convolution, plain_parameters
from structnets.nn.gaussian_conv import Padding, resolve_padding


class LearnedBasisConv2d(nn.Module):
    """A convolution with filters ``sum_n alpha[o, i, n] phi_n``, both factors learned.

    The basis is shared by all pairs of channels, as the Gaussian one is.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    atoms : int
        Number N of basis filters.
    kernel_size : int
        Odd support.
    stride : int
        As in ``nn.Conv2d``.
    padding : int, pair, or {'same', 'valid', 'full'}
        See `GaussianConv2d`.
    bias : bool
        Learn an additive bias.

    Attributes
    ----------
    basis_kernels : Parameter, shape (N, K, K)
        The learned basis.
    alpha : Parameter, shape (out_channels, in_channels, N)
        The learned mixture.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        atoms: int,
        kernel_size: int,
        stride: int = 1,
        padding: Padding = "same",
        bias: bool = True,
    ) -> None:
        super().__init__()
        if atoms < 1:
            raise ValueError(f"atoms must be >= 1, got {atoms}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
        self.in_channels, self.out_channels = in_channels, out_channels
        self.kernel_size, self.stride = kernel_size, (stride, stride)
        self.padding = resolve_padding(padding, kernel_size)
        self.basis_kernels = nn.Parameter(torch.empty(atoms, kernel_size, kernel_size))
        self.alpha = nn.Parameter(torch.empty(out_channels, in_channels, atoms))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw basis filters of unit expected norm, and alpha for He et al.'s variance."""
        atoms, size, _ = self.basis_kernels.shape
        nn.init.normal_(self.basis_kernels, std=1 / size)
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (self.in_channels * atoms)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps of shape (B, in_channels, H, W) with the mixed filters."""
        return functional.conv2d(x, self.kernel(), self.bias, self.stride, self.padding)

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I, K, K)."""
        mixed = self.alpha @ self.basis_kernels.flatten(1)
        return mixed.unflatten(2, self.basis_kernels.shape[1:])

    def collapse(self) -> nn.Module:
        """Return an equivalent plain convolution (detached copy of the filters)."""
        return plain_convolution(self.kernel(), self.bias, self.stride, self.padding)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        size = (self.kernel_size, self.kernel_size)
        return plain_parameters(
            self.out_channels, self.in_channels, size, bias=self.bias is not None
        )

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, atoms={len(self.basis_kernels)}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        )
