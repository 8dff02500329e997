"""A layer of a hierarchical attribute CNN: convolution, normalisation, ELU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn.attribute_conv import marginal
from structnets.nn.hierarchical_conv import HierarchicalConv


class NewestNorm(nn.BatchNorm2d):
    """Batch normalisation per value of the newest attribute, over all other axes."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise an array (N, ..., V_j) of at least three axes."""
        maps = x.contiguous().flatten(1, -2)[:, :, None].permute(0, 3, 1, 2)
        return super().forward(maps).permute(0, 2, 3, 1).reshape(x.shape)


class Shortcut(nn.Module):
    r"""A covariant way around a layer: the subsampled mean over the outgoing attribute.

    The new attribute of the layer does not exist yet, so every value v_j gets the same array times
    a learned factor: :math:`r(v_j) \, \mathrm{mean}_{v_{j-3}} x(2^{s} u, \cdot, 2 v_{j-2}, 2
    v_{j-1})`. Ours, not the thesis'.

    Parameters
    ----------
    values : int
        Of the new attribute.
    stride : int
        Spatial subsampling of the layer.
    subsampling : pair of int
        Attribute subsampling of the layer.
    """

    def __init__(self, values: int, stride: int, subsampling: tuple[int, int]) -> None:
        super().__init__()
        self.stride, self.subsampling = stride, subsampling
        self.weight = nn.Parameter(torch.ones(values))

    def forward(self, x: Tensor) -> Tensor:
        """Return what to add to the layer's array (N, U1', U2', V_a', V_b', values)."""
        first, second = self.subsampling
        kept = marginal(x, "mean")[:, :: self.stride, :: self.stride, ::first, ::second]
        return kept[..., None] * self.weight


class HierarchicalBlock(nn.Module):
    """x_j = ELU(norm(W_j x_{j-1})), perhaps plus a shortcut before the ELU.

    Parameters
    ----------
    conv : HierarchicalConv
        The operator W_j.
    affine : bool
        Let the normalisation learn a scale and a shift per value.
    residual : bool
        Add a `Shortcut`.
    """

    def __init__(self, conv: HierarchicalConv, affine: bool, residual: bool = False) -> None:
        super().__init__()
        values = conv.attribute.shape[0]
        self.conv = conv
        self.norm = NewestNorm(values, conv.norm.eps, conv.norm.momentum, affine)
        self.shortcut = Shortcut(values, conv.stride, conv.subsampling) if residual else None

    def forward(self, x: Tensor) -> Tensor:
        """Take x_{j-1} to x_j, see `HierarchicalConv.forward`."""
        out = self.norm(self.conv(x))
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        return functional.elu(out)
