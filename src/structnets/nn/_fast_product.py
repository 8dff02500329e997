"""Products of two matrices by the faster of two libraries, on a processor.

PyTorch multiplies matrices by MKL, which keeps to 256 bits where a processor is not Intel's: on an
EPYC with AVX-512 the product that oneDNN has for linear layers is 2.3 times as fast, on one with
AVX2 a tenth. Both are exact to rounding, and differ in it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn._derivatives import needs_reference, reference_gradients

# Below so many multiply-adds, or with a narrower result or sum, what a call begins with is longer.
LEAST, NARROWEST = 1 << 21, 16
# Of other kinds of tensors nothing is known.
ORDINARY = (Tensor, nn.Parameter)


def product(a: Tensor, b: Tensor, out: Tensor | None = None) -> Tensor:
    """Return ``a @ b`` for matrices (m, k) and (k, n), in `out` if given.

    Gradients do not follow it.
    """
    if not (is_fast(len(a), len(b), b.shape[1]) and _is_served(a, b)):
        return torch.mm(a, b, out=out)
    weight = b.t()
    if not (weight.is_contiguous() or b.is_contiguous()):
        weight = weight.contiguous()  # any other takes a thousand times as long
    found = _linear(a, weight)
    assert isinstance(found, Tensor)
    return found if out is None else out.copy_(found)


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """Return ``a @ b`` for matrices (m, k) and (k, n), which gradients follow."""
    out = _Product.apply(a, b)
    assert isinstance(out, Tensor)
    return out


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor) -> Tensor:
        ctx.save_for_backward(a, b)
        return product(a, b)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        a, b = ctx.saved_tensors
        if needs_reference(gradient):
            wanted = ctx.needs_input_grad
            return reference_gradients(torch.mm, (a, b), wanted, gradient)
        of_a = product(gradient, b.t()) if ctx.needs_input_grad[0] else None
        return of_a, product(a.t(), gradient) if ctx.needs_input_grad[1] else None


def is_fast(m: int, k: int, n: int) -> bool:
    """Say whether a product of these sizes is faster by the other library."""
    return min(m, k, n) >= NARROWEST and m * k * n >= LEAST


def _is_served(a: Tensor, b: Tensor) -> bool:
    if a.dtype != torch.float32 or b.dtype != torch.float32 or _LINEAR is None:
        return False
    ordinary = type(a) in ORDINARY and type(b) in ORDINARY
    return ordinary and a.device.type == b.device.type == "cpu" and _is_enabled()


def _is_enabled() -> bool:
    return torch.backends.mkldnn.is_available() and torch._C._get_mkldnn_enabled()


def _operation() -> Any:
    # The operation that torch.compile calls for linear layers.
    namespace = getattr(torch.ops, "mkldnn", None)
    return getattr(namespace, "_linear_pointwise", None)


def _linear(x: Tensor, weight: Tensor) -> Any:
    """Return ``x @ weight.t()``."""
    return _LINEAR(x, weight, None, "none", [], "")


_LINEAR = _operation()
