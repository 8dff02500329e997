"""Eq. 37 by its definition, in loops over every offset: slow, and independent of the library."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from structnets.nn import HierarchicalConv


def sample(x: Tensor, axis: int, places: list[int], circular: bool) -> Tensor:
    """Take `places` of an axis; beyond it there are zeros, or it begins again."""
    size = x.shape[axis]
    taken = x.index_select(axis, torch.tensor([place % size for place in places]))
    if circular:
        return taken
    shape = [1] * x.ndim
    shape[axis] = len(places)
    return taken * torch.tensor([float(0 <= p < size) for p in places]).to(x).view(shape)


def shifted(x: Tensor, offsets: tuple[int, ...], axes: tuple[int, ...], steps, circular) -> Tensor:
    """x at ``step * n + offset`` along each axis, n from 0 to ceil(size / step) - 1."""
    for axis, offset, step in zip(axes, offsets, steps, strict=True):
        x = sample(x, axis, [n + offset for n in range(0, x.shape[axis], step)], circular)
    return x


def direct(layer: HierarchicalConv, x: Tensor) -> Tensor:
    """Evaluate a layer in training mode, or with its running statistics in evaluation mode."""
    circular = layer.padding == "circular"
    if x.ndim == 6:
        x = torch.stack(x.unbind(3)).sum(0) / (x.shape[3] if layer.reduction == "mean" else 1)
    radius = layer.kernel_size // 2
    offsets = range(-radius, radius + 1)
    inner = sum(
        shifted(x, (dy, dx), (1, 2), (layer.stride,) * 2, circular)[..., None]
        * layer.spatial[:, dy + radius, dx + radius]
        for dy, dx in product(offsets, offsets)
    )
    assert isinstance(inner, Tensor)
    inner = normalized(layer, inner)
    if layer.activation:
        inner = torch.where(inner > 0, inner, inner.exp() - 1)
    a, b = layer.support
    out = sum(
        shifted(inner, (i - a // 2, k - b // 2), (3, 4), layer.subsampling, circular)
        @ layer.attribute[:, :, i, k].t()
        for i, k in product(range(a), range(b))
    )
    assert isinstance(out, Tensor)
    return out


def normalized(layer: HierarchicalConv, inner: Tensor) -> Tensor:
    """Subtract the mean and divide by the standard deviation, over all but the last axis."""
    norm = layer.norm
    if layer.training:
        flat = inner.flatten(0, -2)
        mean, variance = flat.mean(0), flat.var(0, correction=0)
    else:
        assert norm.running_mean is not None
        assert norm.running_var is not None
        mean, variance = norm.running_mean, norm.running_var
    inner = (inner - mean) / (variance + norm.eps).sqrt()
    return inner * norm.weight + norm.bias if norm.affine else inner
