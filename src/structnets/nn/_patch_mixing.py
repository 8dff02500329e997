"""Convolution in a frame by applying the atoms to patches of the maps instead of composing filters.

Filters are composed anew at every call. Where channels are many and maps small, as in the last
stages of a net, that takes longer than the convolution does. There are fewer patches than filters
then, and mixing those gives the same sums in another order.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._banded import map_size
from structnets.nn._convolution_arguments import Pair, per_axis
from structnets.nn._fast_product import matmul
from structnets.nn._frame_convolution import FrameConvolution
from structnets.nn._layouts import layout_of
from structnets.nn._modes import is_low, needs_plain_operations

MANY_FILTERS = 2**18


def mixes_patches(layer: FrameConvolution, x: Tensor) -> bool:
    """Say whether maps (B, C, H, W) are convolved faster by mixing patches.

    So it was wherever positions of the output, in the whole batch, were at most half as many as
    its channels, and with many filters up to as many: training steps took .5 to 1.0 of a plain
    convolution's, composing 1.2 to 2 (22 shapes, one thread). Atoms that are more than the taps
    make the mixture longer, and count as so many more positions.
    """
    if needs_plain_operations(x) or x.device.type != "cpu" or is_low(x) or x.dim() != 4:
        return False
    if len(layer.kernel_size) != 2 or layer.groups != 1 or x.shape[1] != layer.in_channels:
        return False
    height, width = _output_size(layer, x)
    if min(height, width, len(x)) < 1:
        return False
    positions = len(x) * height * width * len(layer.frame) / layer.frame.matrix.shape[1]
    many = layer.in_channels * layer.out_channels >= MANY_FILTERS
    return positions * (1 if many else 2) <= layer.out_channels


def convolve_patches(layer: FrameConvolution, x: Tensor) -> Tensor:
    """Convolve maps (B, C, H, W), of which `mixes_patches` is true; returns (B, O, H', W')."""
    size = _output_size(layer, x)
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(x, layer.margins, mode)
    patches = functional.unfold(padded, layer.kernel_size, layer.dilation, 0, layer.stride)
    atoms = layer.constant("atoms", layer.coefficients)
    taps = patches.unflatten(1, (-1, atoms.shape[1])).permute(1, 2, 0, 3).flatten(2)
    mixed = torch.bmm(atoms.expand(len(taps), -1, -1), taps)
    out = matmul(layer.coefficients.flatten(1), mixed.flatten(0, 1))
    if layer.bias is not None:
        out = out + layer.bias[:, None]
    maps = out.unflatten(1, (len(x), *size)).transpose(0, 1)
    return maps.contiguous(memory_format=layout_of(padded))


def _output_size(layer: FrameConvolution, x: Tensor) -> Pair:
    left, right, top, bottom = layer.margins
    padded = (x.shape[2] + top + bottom, x.shape[3] + left + right)
    size, stride, dilation = (
        per_axis(name, getattr(layer, name), 2) for name in ("kernel_size", "stride", "dilation")
    )
    return map_size(padded, size, stride, (0, 0), dilation)
