"""One-dimensional correlations as matrices, so that a filter pass is a matrix product.

A filter of width K on a line of n samples, zero-padded by p and subsampled by s, is a banded
(Toeplitz) matrix of shape (m, n) with m = (n + 2p - K) // s + 1. Its product costs the same for
every filter width, and on short lines it beats a convolution.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair


def output_length(
    length: int, kernel_size: int, stride: int, padding: int, dilation: int = 1
) -> int:
    """Return the number of samples a correlation leaves of `length`."""
    return (length + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


def map_size(sizes: Sequence[int], *geometry: Sequence[int]) -> Pair:
    """Return height and width that correlations leave of maps.

    The geometry is filter size, stride, padding and dilation, each along y and x.
    """
    high, wide = (output_length(*axis) for axis in zip(sizes, *geometry, strict=True))
    return high, wide


def banded_matrices(
    profiles: Tensor, length: int, stride: int, padding: int, dilation: int = 1
) -> Tensor:
    """Build the matrices of several filters.

    Parameters
    ----------
    profiles : Tensor, shape (P, K)
        1-D filters, applied as correlations (as ``torch.nn.functional.conv1d`` does).
    length : int
        Samples n of the line.
    stride, padding, dilation : int
        Subsampling, zero padding on both sides, and distance between the filters' taps.

    Returns
    -------
    Tensor, shape (P, m, n)
        ``matrices[p] @ line`` is the correlation with ``profiles[p]``.
    """
    count, width = profiles.shape
    rows = output_length(length, width, stride, padding, dilation)
    padded = profiles.new_zeros(count, rows, length + 2 * padding)
    start = torch.arange(rows, device=profiles.device) * stride
    columns = start[:, None] + dilation * torch.arange(width, device=profiles.device)
    index = columns.expand(count, rows, width)
    padded.scatter_(2, index, profiles[:, None, :].expand(count, rows, width))
    return padded[:, :, padding : padding + length].contiguous()
