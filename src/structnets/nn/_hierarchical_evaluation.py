"""Three ways to evaluate the factorised operator of Eq. 37: plain, fused and collapsed.

- `plain`: as one would write it down; for reading, for tests, and to compare with.
- `fused`: as one custom function that never keeps the inner array
  (`structnets.nn._fused_convolution`).
- `collapsed`: as one convolution with 4-D filters; only without an activation between the factors.
  In training too, normalisation included, because it folds into the filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._attribute_axes import AttributeAxes, Pair
from structnets.nn._folded_norm import FoldedNorm
from structnets.nn._fused_convolution import Fused, fused_convolution
from structnets.nn._spatial_patches import Patches, pad_space


@dataclass(frozen=True)
class Geometry:
    """Sizes of an operator: attribute axes (and what pads them), spatial support and stride."""

    axes: AttributeAxes
    kernel_size: int
    stride: int

    @property
    def padding(self) -> str:
        """What lies beyond all axes."""
        return self.axes.padding

    def pad(self, x: Tensor) -> tuple[Tensor, Patches]:
        """Return (N, U1, U2, A, B) padded in space, attributes flattened, and its patches."""
        padded = pad_space(x.flatten(3), self.kernel_size // 2, self.padding)
        batch, height, width, values = padded.shape
        return padded, Patches((batch, height, width, values), self.kernel_size, self.stride)


@dataclass(frozen=True)
class Factors:
    """The trained parts: h (Q, size, size), normalisation, perhaps ELU, g (K, Q, a, b)."""

    spatial: Tensor
    norm: FoldedNorm
    activation: bool
    attribute: Tensor


def pad_maps(maps: Tensor, margins: Pair, padding: str) -> Tensor:
    """Pad the last two axes of (N, C, H, W)."""
    amounts = [margins[1], margins[1], margins[0], margins[0]]
    return functional.pad(maps, amounts, mode="circular" if padding == "circular" else "constant")


def plain(x: Tensor, factors: Factors, geometry: Geometry) -> Tensor:
    """Filter every attribute slice, normalise, permute, filter along attributes, permute back."""
    inner = factors.norm(_filtered_slices(x, factors.spatial, geometry))
    # Flat and back, so that the gradient arrives contiguous: PyTorch's batch normalisation in
    # evaluation, on a processor, differentiates wrongly where it is not and a map has one row.
    inner = inner.flatten().view(inner.shape)
    if factors.activation:
        inner = functional.elu(inner)
    return _along_attributes(inner, x.shape[0], factors.attribute, geometry.axes)


def plain_4d(x: Tensor, weight: Tensor, constant: Tensor | None, geometry: Geometry) -> Tensor:
    """Convolve with 4-D filters (K, taps, a, b) by PyTorch's own operations."""
    taps, size = weight.shape[1], geometry.kernel_size
    unit = torch.eye(taps, dtype=x.dtype, device=x.device).view(taps, size, size)
    out = _along_attributes(_filtered_slices(x, unit, geometry), x.shape[0], weight, geometry.axes)
    return out if constant is None else out + _offset(constant, geometry.axes, out)


def _filtered_slices(x: Tensor, spatial: Tensor, geometry: Geometry) -> Tensor:
    """Filter every attribute slice of (N, U1, U2, A, B) in space: (N A B, Q, U1', U2')."""
    height, width = x.shape[1:3]
    margin = geometry.kernel_size // 2
    slices = x.permute(0, 3, 4, 1, 2).reshape(-1, 1, height, width)
    slices = pad_maps(slices, (margin, margin), geometry.padding)
    return functional.conv2d(slices, spatial[:, None], None, geometry.stride)


def _along_attributes(inner: Tensor, batch: int, attribute: Tensor, axes: AttributeAxes) -> Tensor:
    """Filter (N A B, Q, U1', U2') along the attributes: (N, U1', U2', A', B', K)."""
    terms, height, width = inner.shape[1:]
    arrays = inner.view(batch, *axes.sizes, terms, height, width).permute(0, 4, 5, 3, 1, 2)
    maps = arrays.reshape(batch * height * width, terms, *axes.sizes)
    out = attribute_convolution(maps, attribute, axes)
    shape = (batch, height, width, len(attribute), *axes.outputs)
    return out.view(shape).permute(0, 1, 2, 4, 5, 3)


def fused(x: Tensor, factors: Factors, geometry: Geometry, product: str) -> Tensor:
    """Evaluate without keeping the inner array; `product` filters along the attributes."""
    padded, patches = geometry.pad(x)
    filters, shift = factors.norm.fold(factors.spatial.flatten(1), padded, patches)
    lift = torch.cat((filters.t(), shift[None]))
    way = Fused(patches, geometry.axes, product, factors.activation)
    return fused_convolution(padded, lift, factors.attribute, way)


def collapsed(x: Tensor, factors: Factors, geometry: Geometry, product: str) -> Tensor:
    """Evaluate with 4-D filters; `factors` must have no activation."""
    padded, patches = geometry.pad(x)
    filters, shift = factors.norm.fold(factors.spatial.flatten(1), padded, patches)
    weight, constant = compose(filters, shift, factors.attribute)
    way = Fused(patches, geometry.axes, product, activation=False)
    return filter_4d(padded, weight, constant, way)


def compose(filters: Tensor, shift: Tensor, attribute: Tensor) -> tuple[Tensor, Tensor]:
    """Multiply the factors out.

    Parameters
    ----------
    filters : Tensor, shape (Q, taps)
        Spatial filters, normalisation folded in.
    shift : Tensor, shape (Q,)
        What is added to their responses.
    attribute : Tensor, shape (K, Q, a, b)
        Attribute filters.

    Returns
    -------
    weight : Tensor, shape (K, taps, a, b)
        The 4-D filters, spatial taps in row-major order.
    constant : Tensor, shape (K, a, b)
        The filters that the shifts meet.
    """
    weight = torch.einsum("qs,kqab->ksab", filters, attribute)
    return weight, torch.einsum("q,kqab->kab", shift, attribute)


def filter_4d(padded: Tensor, weight: Tensor, constant: Tensor | None, way: Fused) -> Tensor:
    """Convolve with 4-D filters and add the constant's response, smaller beside zeros.

    Parameters
    ----------
    padded : Tensor, shape (N, P1, P2, A B)
        Input, padded along space.
    weight, constant : Tensor
        As from `compose`; the constant may be None.
    way : Fused
        Geometry and attribute product.

    Returns
    -------
    Tensor, shape (N, U1', U2', A', B', K)
        Differentiable once.
    """
    taps = weight.shape[1]
    unit = torch.eye(taps + 1, taps, dtype=padded.dtype, device=padded.device)
    out = fused_convolution(padded, unit, weight, way)
    if constant is None:
        return out
    return out + _offset(constant, way.axes, padded)


def _offset(constant: Tensor, axes: AttributeAxes, like: Tensor) -> Tensor:
    """Return what the filters (K, a, b) answer to ones, (A', B', K)."""
    ones = like.new_ones(1, 1, *axes.sizes)
    return attribute_convolution(ones, constant[:, None], axes)[0].permute(1, 2, 0)


def attribute_convolution(maps: Tensor, filters: Tensor, axes: AttributeAxes) -> Tensor:
    """Convolve maps (M, Q, A, B) with (K, Q, a, b) and subsample."""
    padded = pad_maps(maps, axes.margins, axes.padding)
    return functional.conv2d(padded, filters, None, axes.subsampling)
