"""`LearnedBasisConv2d`: a structured convolution whose basis is learned instead of fixed.

The control of thesis Table 2 ("NiN-refactor", basis Free): the factorisation of `GaussianConv2d`
without its Gaussians.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._checked_tensors import check_tensors
from structnets.nn._convolution_arguments import Padding, PaddingMode, Pair, per_axis
from structnets.nn._exact_products import exact_product
from structnets.nn._mixture_convolution import MixtureConvolution


class LearnedBasisConv2d(MixtureConvolution[Pair]):
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
        if atoms < 1:
            raise ValueError(f"atoms must be >= 1, got {atoms}")
        high, wide = per_axis("kernel_size", kernel_size, 2)
        if high % 2 == 0 or wide % 2 == 0:
            raise ValueError(f"kernel_size must be odd and positive, got {kernel_size}")
        geometry = (stride, padding, dilation, groups, padding_mode)
        super().__init__(in_channels, out_channels, (high, wide), *geometry)
        kernels = torch.empty(atoms, high, wide, device=device, dtype=dtype)
        self.basis_kernels = nn.Parameter(kernels)
        self.make_weights(atoms, bias, device, dtype)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw basis filters of unit expected norm, and alpha for He et al.'s variance."""
        atoms, *size = self.basis_kernels.shape
        nn.init.normal_(self.basis_kernels, std=1 / math.sqrt(math.prod(size)))
        self.draw_weights(atoms)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps of shape (B, in_channels, H, W), or without B, with the mixed filters."""
        check_tensors(self, x, self.alpha, self.basis_kernels)
        geometry = (self.stride, self.zero_padding, self.dilation, self.groups)
        return functional.conv2d(self.padded(x), self.kernel(), self.bias, *geometry)

    def kernel(self) -> Tensor:
        """Return the effective filters on the pixel grid, shape (O, I / groups, K, L)."""
        mixed = exact_product(self.alpha, self.basis_kernels.flatten(1))
        return mixed.unflatten(2, self.kernel_size)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, atoms={len(self.basis_kernels)}, "
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
        )
