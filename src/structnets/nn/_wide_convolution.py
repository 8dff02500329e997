"""A plain convolution whose wide filters cost what their frequencies do, on a processor."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._bounded_cache import BoundedCache
from structnets.nn._derivatives import needs_reference
from structnets.nn._fourier_products import Plane, frequencies, output_size, products, times
from structnets.nn._plain_convolution import gradients_of_pytorch, is_simple

# A multiplication by way of the frequencies takes so many times as long as PyTorch's own.
SLOWER = 1.3
# With so few input channels PyTorch's kernel for the filters' gradient is the slowest there is.
FEW_CHANNELS = 4
# Numbers of spectra, and of a matrix of patches, at most (256 MB in float32).
MOST_NUMBERS = 2**26

_planes: BoundedCache[Plane] = BoundedCache(Plane.tensors)


class WideConvolution(nn.Conv2d):
    """`nn.Conv2d`, evaluated in the Fourier domain where that takes fewer products.

    For 7 x 7 filters and 64 channels on maps of 13 x 13 a training step takes a third of the
    time. Filters of few channels, as the first layer's, are as PyTorch's, their gradient a product
    with the patches.

    Limits
    ------
    With a stride, a dilation, groups, padding of other values than zeros or wider than the filter,
    in half precision or on other devices it is `nn.Conv2d` throughout.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve maps (B, C, H, W) or (C, H, W)."""
        if not (is_simple(self, x) and all(map(operator.lt, self.padding, self.kernel_size))):
            return super().forward(x)
        by_frequencies = self._is_wide(x)
        few = x.shape[1] <= FEW_CHANNELS and not x.requires_grad and torch.is_grad_enabled()
        if not by_frequencies and not few:
            return super().forward(x)
        function = _ByFrequencies if by_frequencies else _ByPatches
        out = function.apply(x, self.weight, self.bias, self.padding)
        assert isinstance(out, Tensor)
        return out

    def _is_wide(self, x: Tensor) -> bool:
        (high, wide), (above, beside) = self.kernel_size, self.padding
        filters = high, wide
        maps, channels = (x.shape[2], x.shape[3]), (x.shape[1], self.out_channels)
        output = output_size(maps, filters, (int(above), int(beside)))
        if min(output) < 1:
            return False  # PyTorch says why
        spectra = x.shape[0] * sum(channels) + math.prod(channels)
        if frequencies(maps, filters) * spectra > MOST_NUMBERS:
            return False
        direct = x.shape[0] * math.prod((*channels, *output, *filters))
        return SLOWER * products(maps, filters, output, x.shape[0], channels) < direct


class _ByFrequencies(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int]
    ) -> Tensor:
        maps, filters = (x.shape[2], x.shape[3]), (weight.shape[2], weight.shape[3])
        key = (maps, filters, padding, x.dtype)
        plane = _planes.get(key, lambda: Plane.of(maps, filters, padding, weight))
        spectra, kernels = plane.maps.to_frequencies(x), plane.filters.to_frequencies(weight)
        ctx.save_for_backward(x, weight, bias, spectra, kernels)
        ctx.plane, ctx.padding = plane, padding
        found = times(spectra, kernels.transpose(2, 3), conjugate=True)
        out = plane.outputs.to_pixels(found).unflatten(2, plane.size)
        return out if bias is None else out.add_(bias[:, None, None])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, _, spectra, kernels = ctx.saved_tensors
        if needs_reference(grad):
            return gradients_of_pytorch(functional.conv2d, ctx, grad)
        plane, wanted = ctx.plane, ctx.needs_input_grad
        above = plane.outputs.to_frequencies(grad)
        grad_x = grad_weight = grad_bias = None
        if wanted[0]:
            below = times(above, kernels)
            grad_x = plane.maps.to_pixels(below).view_as(x)
        if wanted[1]:
            found = times(spectra.transpose(2, 3), above, conjugate=True)
            grad_weight = plane.filters.to_pixels(found.transpose(2, 3)).view_as(weight)
        if wanted[2]:
            grad_bias = grad.sum((0, 2, 3))
        return grad_x, grad_weight, grad_bias, None


class _ByPatches(torch.autograd.Function):
    """PyTorch's own convolution of inputs that want no gradient."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int]
    ) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.padding = padding
        return functional.conv2d(x, weight, bias, padding=padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, _ = ctx.saved_tensors
        if needs_reference(grad):
            return gradients_of_pytorch(functional.conv2d, ctx, grad)
        grad_weight = grad_bias = None
        if ctx.needs_input_grad[1]:
            grad_weight = torch.zeros_like(weight).flatten(1)
            of_one = weight[0].numel() * grad.shape[2] * grad.shape[3]
            for maps, above in _some_at_once(x, grad, max(1, MOST_NUMBERS // of_one)):
                patches = functional.unfold(maps, weight.shape[2:], padding=ctx.padding)
                grad_weight += torch.bmm(above.flatten(2), patches.transpose(1, 2)).sum(0)
            grad_weight = grad_weight.view_as(weight)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3))
        return None, grad_weight, grad_bias, None


def _some_at_once(x: Tensor, grad: Tensor, count: int) -> zip[tuple[Tensor, Tensor]]:
    return zip(x.split(count), grad.split(count), strict=True)
