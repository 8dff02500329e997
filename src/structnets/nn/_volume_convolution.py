"""A plain convolution of volumes that does not wait for PyTorch's slowest kernels.

On a processor (oneDNN, AVX2) PyTorch's gradient of a 3-D filter reaches a quarter of the speed of
its 2-D ones. A filter of depth k is k flat filters, one for each distance along z, and the slices
of all volumes are a batch of maps. Wide filters of many channels take fewer products by way of
their frequencies. Those of few channels are products with patches; what is cut from a slice serves
all outputs that see it.
"""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._bounded_cache import BoundedCache
from structnets.nn._derivatives import needs_reference
from structnets.nn._fourier_products import times
from structnets.nn._plain_convolution import gradients_of_pytorch, is_simple
from structnets.nn._volume_frequencies import Sizes, Space, frequencies, output_sizes, products

# With fewer input channels PyTorch's kernel is faster than the way slice by slice.
LEAST_CHANNELS = 8
# With so few, patches are.
FEW_CHANNELS = 4
# A multiplication by way of the frequencies takes so many times as long as PyTorch's own.
SLOWER = 5.0
# Numbers of spectra, and of the patches of one volume, at most (256 MB in float32).
MOST_NUMBERS = 2**26

_spaces: BoundedCache[Space] = BoundedCache(Space.tensors)


class VolumeConvolution(nn.Conv3d):
    """`nn.Conv3d`, which trains by whichever of four ways is fast on a processor.

    Limits
    ------
    With a stride, a dilation, groups, padding of other values than zeros, in half precision or on
    other devices it is `nn.Conv3d` throughout; so it is where no weight's gradient is asked.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve volumes (B, C, D, H, W) or (C, D, H, W)."""
        function = self._way(x)
        if function is None:
            return super().forward(x)
        out = function.apply(x, self.weight, self.bias, self.padding)
        assert isinstance(out, Tensor)
        return out

    def _way(self, x: Tensor) -> type[torch.autograd.Function] | None:
        wanted = torch.is_grad_enabled() and self.weight.requires_grad
        if not (wanted and is_simple(self, x)):
            return None
        output = output_sizes(_sizes(x), _sizes(self.weight), _three(self.padding))
        if min(output) < 1:
            return None  # PyTorch says why
        if self._is_wide(x, output):
            return _ByFrequencies
        few = x.shape[1] <= FEW_CHANNELS and not x.requires_grad
        if few and self._has_small_patches(x, output):
            return _ByPatches
        return _BySlices if x.shape[1] >= LEAST_CHANNELS else None

    def _is_wide(self, x: Tensor, output: Sizes) -> bool:
        volumes, filters, padding = _sizes(x), _sizes(self.weight), _three(self.padding)
        if not all(map(operator.lt, padding, filters)):
            return False
        batch, channels = x.shape[0], (x.shape[1], self.out_channels)
        spectra = batch * sum(channels) + math.prod(channels)
        if frequencies(volumes, padding) * spectra > MOST_NUMBERS:
            return False
        direct = batch * math.prod((*channels, *output, *filters))
        return SLOWER * products(volumes, filters, padding, batch, channels) < direct

    def _has_small_patches(self, x: Tensor, output: Sizes) -> bool:
        depth = x.shape[2] + 2 * _three(self.padding)[0]
        of_slice = math.prod(self.weight.shape[3:]) * math.prod(output[1:])
        return x.shape[1] * depth * of_slice <= MOST_NUMBERS


class _ByFrequencies(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Sizes) -> Tensor:
        key = (_sizes(x), _sizes(weight), padding, x.dtype)
        space = _spaces.get(key, lambda: Space.of(*key[:3], weight))
        spectra, kernels = space.volumes.to_frequencies(x), space.filters.to_frequencies(weight)
        ctx.save_for_backward(x, weight, bias, spectra, kernels)
        ctx.space, ctx.padding = space, padding
        out = space.outputs.to_voxels(times(spectra, kernels.transpose(2, 3), conjugate=True))
        return out if bias is None else out.add_(bias[:, None, None, None])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        *_, spectra, kernels = ctx.saved_tensors
        if needs_reference(grad):
            return gradients_of_pytorch(functional.conv3d, ctx, grad)
        space, wanted = ctx.space, ctx.needs_input_grad
        above = space.outputs.to_frequencies(grad)
        grad_x = grad_weight = grad_bias = None
        if wanted[0]:
            grad_x = space.volumes.to_voxels(times(above, kernels))
        if wanted[1]:
            found = times(spectra.transpose(2, 3), above, conjugate=True)
            grad_weight = space.filters.to_voxels(found.transpose(2, 3))
        if wanted[2]:
            grad_bias = grad.sum((0, 2, 3, 4))
        return grad_x, grad_weight, grad_bias, None


class _ByPatches(torch.autograd.Function):
    """Inputs want no gradient. Patches, many times the input, are not kept but cut again."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Sizes) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.padding = padding
        size = output_sizes(_sizes(x), _sizes(weight), padding)
        rows = weight.transpose(1, 2).flatten(1)
        out = x.new_empty(x.shape[0], weight.shape[0], size[0], size[1] * size[2])
        for volume, found in zip(x, out, strict=True):
            patches = _patches(volume, weight, padding)
            for z in range(size[0]):
                seen = patches[z : z + weight.shape[2]].flatten(0, 1)
                torch.mm(rows, seen, out=found[:, z])
        out = out.unflatten(3, size[1:])
        return out if bias is None else out.add_(bias[:, None, None, None])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, _ = ctx.saved_tensors
        if needs_reference(grad):
            return gradients_of_pytorch(functional.conv3d, ctx, grad)
        grad_weight = grad_bias = None
        if ctx.needs_input_grad[1]:
            across = weight.transpose(1, 2)
            found = torch.zeros_like(across.flatten(1))
            for volume, above in zip(x, grad.flatten(3), strict=True):
                patches = _patches(volume, weight, ctx.padding)
                for z in range(grad.shape[2]):
                    found.addmm_(above[:, z], patches[z : z + weight.shape[2]].flatten(0, 1).T)
            grad_weight = found.view(across.shape).transpose(1, 2).contiguous()
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3, 4))
        return None, grad_weight, grad_bias, None


class _BySlices(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: Sizes) -> Tensor:
        ctx.save_for_backward(x, weight, bias)
        ctx.padding = padding
        return functional.conv3d(x, weight, bias, padding=padding)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, _ = ctx.saved_tensors
        if needs_reference(grad):
            return gradients_of_pytorch(functional.conv3d, ctx, grad)
        grad_x = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.ops.aten.convolution_backward(
                grad, x, weight, None, (1, 1, 1), ctx.padding, (1, 1, 1), False,
                (0, 0, 0), 1, (True, False, False),
            )[0]  # fmt: skip
        if ctx.needs_input_grad[1]:
            grad_weight = weight_gradient(x, grad, weight, ctx.padding)
        if ctx.needs_input_grad[2]:
            grad_bias = grad.sum((0, 2, 3, 4))
        return grad_x, grad_weight, grad_bias, None


def weight_gradient(x: Tensor, grad: Tensor, weight: Tensor, padding: Sizes) -> Tensor:
    """Return the gradient of filters (O, C, K, L, M), one flat filter (O, C, L, M) after another.

    Parameters
    ----------
    x : Tensor, shape (B, C, D, H, W)
        Input.
    grad : Tensor, shape (B, O, D', H', W')
        Gradient of the output.
    weight : Tensor, shape (O, C, K, L, M)
        The filters.
    padding : tuple of three int
        Zeros on either side of each axis.
    """
    deep, *flat = padding
    depth = grad.shape[2]
    slices = functional.pad(x.transpose(1, 2), (0, 0, 0, 0, 0, 0, deep, deep)).contiguous()
    grads = grad.transpose(1, 2).flatten(0, 1)
    found = torch.empty_like(weight)
    for k in range(weight.shape[2]):
        maps = slices[:, k : k + depth].flatten(0, 1)
        found[:, :, k] = torch.ops.aten.convolution_backward(
            grads, maps, weight[:, :, k], None, (1, 1), flat, (1, 1), False,
            (0, 0), 1, (False, True, False),
        )[1]  # fmt: skip
    return found


def _patches(volume: Tensor, weight: Tensor, padding: Sizes) -> Tensor:
    """Return the flat patches of each slice of a volume (C, D, H, W): (D + 2 p, C L M, H' W')."""
    deep, high, wide = padding
    slices = functional.pad(volume.transpose(0, 1), (wide, wide, high, high, 0, 0, deep, deep))
    windows = slices.unfold(2, weight.shape[3], 1).unfold(3, weight.shape[4], 1)
    return windows.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)


def _sizes(volumes: Tensor) -> Sizes:
    return volumes.shape[2], volumes.shape[3], volumes.shape[4]


def _three(padding: Any) -> Sizes:
    deep, high, wide = padding
    return deep, high, wide
