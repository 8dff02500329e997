"""What plain convolutions that are evaluated in another way than PyTorch's have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from structnets.nn._derivatives import reference_gradients
from structnets.nn._modes import is_low, is_ordinary_on_cpu, needs_plain_operations


def is_simple(layer: nn.Conv2d | nn.Conv3d, x: Tensor) -> bool:
    """Say whether a way of our own may serve a batch of maps.

    With a stride, a dilation, groups, padding of other values than zeros or by name, in half
    precision, on other devices, recorded or transformed, PyTorch's own must.
    """
    if needs_plain_operations(x):
        return False
    steps = {*layer.stride, *layer.dilation, layer.groups} == {1}
    zeros = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    weight = layer.weight
    kind = x.dim() == weight.dim() and x.numel() > 0 and x.dtype == weight.dtype and not is_low(x)
    return steps and zeros and kind and is_ordinary_on_cpu(x, weight)


def gradients_of_pytorch(
    convolve: Callable[..., Tensor], ctx: Any, grad: Tensor
) -> tuple[Tensor | None, ...]:
    """Return gradients that can be differentiated again, of what was called with four arguments.

    Those are maps, weights, a bias or None, which `ctx` saved first, and the padding.
    """

    def reference(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        return convolve(x, weight, bias, padding=ctx.padding)

    inputs = ctx.saved_tensors[:3]
    return *reference_gradients(reference, inputs, ctx.needs_input_grad[:3], grad), None
