"""The least time a layer's step could take on this machine: by its products, or by its bytes."""

from __future__ import annotations

import functools
import math
from time import process_time

import torch
from torch import Tensor, nn

from structnets.nn import GaussianConv2d
from structnets.nn._fast_product import product
from tests.benchmarks.timing import seconds_of

SIDE = 768
NUMBERS = 1 << 25


@functools.cache
def multiply_adds_per_second() -> float:
    """Return those of a large product of matrices, in CPU seconds, the best of some."""
    matrix = torch.randn(SIDE, SIDE)
    times = [seconds_of(lambda: product(matrix, matrix), process_time) for _ in range(5)]
    return SIDE**3 / min(times)


@functools.cache
def bytes_per_second() -> float:
    """Return those read and written by a copy out of the caches, as above."""
    numbers = torch.randn(NUMBERS)
    copy = torch.empty_like(numbers)
    return (
        8 * NUMBERS / min(seconds_of(lambda: copy.copy_(numbers), process_time) for _ in range(5))
    )


def floor_seconds(layer: nn.Module, x: Tensor) -> float:
    """Return the least seconds of a training step of a layer whose output is as large as its input.

    Products: forward, and once more for each of the two gradients. Bytes: input, output, their
    gradients, and the weights with theirs, each once.
    """
    with torch.no_grad():
        out = layer.forward(x)
    weights = sum(p.numel() for p in layer.parameters())
    traffic = 4 * 2 * (x.numel() + out.numel() + weights)
    pixels = x.shape[0] * math.prod(x.shape[2:])
    products = 3 * pixels * products_per_pixel(layer, x.shape[1], out.shape[1])
    return max(products / multiply_adds_per_second(), traffic / bytes_per_second())


def products_per_pixel(layer: nn.Module, inputs: int, outputs: int) -> int:
    """Count the multiply-adds a pixel of filtering first and mixing then, or of a convolution."""
    if isinstance(layer, nn.Conv2d):
        return inputs * outputs * math.prod(layer.kernel_size)
    if not isinstance(layer, GaussianConv2d):
        raise TypeError(f"no layer of known cost: {type(layer).__name__}")
    taps = layer.kernel_size[0]
    if layer.hybrid is None:
        filtering = (layer.basis.order + 1 + len(layer.basis)) * taps
    else:
        filtering = 2 * taps * len(layer.basis.sigmas)
    return inputs * (filtering + outputs * len(layer.basis))
