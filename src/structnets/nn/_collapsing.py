"""From a structured layer to the plain convolution it equals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


def plain_convolution(
    kernel: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int] | int = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> nn.Conv2d | nn.Conv3d:
    """Build a convolution that holds a detached copy of given filters.

    Parameters
    ----------
    kernel : Tensor, shape (O, I / groups, K, L) or (O, I / groups, J, K, L)
        Filters on the pixel or voxel grid.
    bias : Tensor, shape (O,), optional
        Additive bias.
    stride, padding, dilation : sequence of int
        One per axis.
    groups, padding_mode
        As in ``nn.Conv2d``.

    Returns
    -------
    nn.Conv2d or nn.Conv3d
        In the kernel's dtype and on its device.
    """
    build: type[nn.Conv2d | nn.Conv3d] = nn.Conv2d if kernel.ndim == 4 else nn.Conv3d
    shape: Any = (kernel.shape[1] * groups, kernel.shape[0], tuple(kernel.shape[2:]))
    geometry: Any = (tuple(stride), tuple(padding), dilation, groups)
    kind: Any = {"device": kernel.device, "dtype": kernel.dtype, "padding_mode": padding_mode}
    plain = torch.nn.utils.skip_init(build, *shape, *geometry, bias=bias is not None, **kind)
    assert isinstance(plain, (nn.Conv2d, nn.Conv3d))
    with torch.no_grad():
        plain.weight.copy_(kernel)
        if bias is not None and plain.bias is not None:
            plain.bias.copy_(bias)
    return plain


def plain_parameters(outputs: int, inputs: int, size: Sequence[int], bias: bool) -> int:
    """Count the weights of a plain convolution with filters of `size` along each axis."""
    return outputs * (inputs * math.prod(size) + bias)
