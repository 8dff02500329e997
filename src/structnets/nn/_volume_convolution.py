"""A plain convolution of volumes whose weights' gradient does not wait for PyTorch's.

On a processor PyTorch's kernel for the gradient of a 3-D filter reaches a quarter of the speed of
its 2-D ones (many channels; oneDNN, AVX2). A filter of depth k is k flat filters, one for each
distance along z, and the slices of all volumes are a batch of maps.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from structnets.nn._derivatives import needs_reference
from structnets.nn._plain_convolution import gradients_of_pytorch, is_simple

# With fewer input channels PyTorch's kernel is the faster one.
LEAST_CHANNELS = 8


class VolumeConvolution(nn.Conv3d):
    """`nn.Conv3d`, the gradient of whose weights is found slice by slice on a processor.

    Limits
    ------
    With a stride, a dilation, groups, padding of other values than zeros, few input channels, in
    half precision or on other devices it is `nn.Conv3d` throughout.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Convolve volumes (B, C, D, H, W) or (C, D, H, W)."""
        wanted = torch.is_grad_enabled() and self.weight.requires_grad
        if not (wanted and is_simple(self, x) and x.shape[1] >= LEAST_CHANNELS):
            return super().forward(x)
        out = _Convolve.apply(x, self.weight, self.bias, self.padding)
        assert isinstance(out, Tensor)
        return out


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: tuple[int, int, int]
    ) -> Tensor:
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


def weight_gradient(
    x: Tensor, grad: Tensor, weight: Tensor, padding: tuple[int, int, int]
) -> Tensor:
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
