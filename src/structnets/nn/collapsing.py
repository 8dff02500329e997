"""From a structured layer to the plain convolution it equals."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def plain_convolution(
    kernel: Tensor, bias: Tensor | None, stride: Sequence[int], padding: Sequence[int]
) -> nn.Conv2d | nn.Conv3d:
    """Build a convolution that holds a detached copy of given filters.

    Parameters
    ----------
    kernel : Tensor, shape (O, I, K, K) or (O, I, K, K, K)
        Filters on the pixel or voxel grid.
    bias : Tensor, shape (O,), optional
        Additive bias.
    stride, padding : sequence of int
        One per axis.

    Returns
    -------
    nn.Conv2d or nn.Conv3d
        In the kernel's dtype and on its device.
    """
    build: type[nn.Conv2d | nn.Conv3d] = nn.Conv2d if kernel.ndim == 4 else nn.Conv3d
    plain = build(
        kernel.shape[1],
        kernel.shape[0],
        tuple(kernel.shape[2:]),  # type: ignore[arg-type]
        tuple(stride),  # type: ignore[arg-type]
        tuple(padding),  # type: ignore[arg-type]
        bias=bias is not None,
    ).to(kernel)
    with torch.no_grad():
        plain.weight.copy_(kernel)
        if bias is not None and plain.bias is not None:
            plain.bias.copy_(bias)
    return plain


def plain_parameters(outputs: int, inputs: int, size: Sequence[int], bias: bool) -> int:
    """Count the weights of a plain convolution with filters of `size` along each axis."""
    return outputs * (inputs * math.prod(size) + bias)
