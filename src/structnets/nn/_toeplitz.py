"""Correlations along one axis as banded (Toeplitz) matrices, differentiable in their filters."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def correlation_matrices(
    profiles: Tensor, length: int, padding: int, stride: int = 1, dilation: int = 1
) -> Tensor:
    """Return the matrices of several filters on a line.

    Parameters
    ----------
    profiles : Tensor, shape (..., K)
        Filters of odd width, applied as correlations.
    length : int
        Samples n of the line.
    padding : int
        Zeros on either side.
    stride, dilation : int
        As in a convolution.

    Returns
    -------
    Tensor, shape (..., m, n)
        With m = (n + 2 padding - dilation (K - 1) - 1) // stride + 1. Built of views and one
        gather, so that it follows filters that are learned and is traced as it is.
    """
    width = profiles.shape[-1]
    if dilation > 1:
        spread = functional.pad(profiles[..., None], (0, dilation - 1)).flatten(-2)
        profiles = spread[..., : dilation * (width - 1) + 1]
        width = profiles.shape[-1]
    full = length + 2 * padding - width + 1
    # Row i has tap j - i + padding at sample j: a window of a line of zeros around the filter that
    # goes one to the left from row to row. Negative margins cut taps that meet padding only.
    line = functional.pad(profiles, (full - 1 - padding, length + padding - width))
    windows = line.unfold(-1, length, 1).flip(-2)
    return windows[..., ::stride, :]


def along_y(image: Tensor, matrix: Tensor) -> Tensor:
    """Multiply every channel of an image (C, H, W) by one matrix (h, H): (C, h, W)."""
    return torch.bmm(matrix.expand(len(image), -1, -1), image)


def add_gradients_along_y(
    gradient: Tensor, image: Tensor, matrix: Tensor, into: Tensor | None, into_matrix: Tensor | None
) -> None:
    """Add what a gradient of `along_y` is for the image and for the matrix, where wanted."""
    if into is not None:
        into.baddbmm_(matrix.t().expand(len(image), -1, -1), gradient)
    if into_matrix is not None:
        into_matrix += torch.bmm(gradient, image.transpose(1, 2)).sum(0)
