"""Second derivatives of custom functions: by a reference, or refused with the remedy."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._C import _functions
from torch._C._functorch import is_batchedtensor, is_legacy_batchedtensor

Gradients = tuple[Tensor | None, ...]


def reference_gradients(
    function: Callable[..., Tensor | tuple[Tensor, ...]],
    inputs: Sequence[Tensor | None],
    wanted: Sequence[bool],
    *grads: Tensor,
) -> Gradients:
    """Return gradients that can be differentiated again, from PyTorch's own operations.

    Parameters
    ----------
    function : callable
        What the custom function computes, of the same inputs.
    inputs : sequence of Tensor or None
        As ``ctx.saved_tensors`` gives them.
    wanted : sequence of bool
        Which of them need a gradient.
    *grads : Tensor
        Gradients of the outputs.
    """
    with torch.enable_grad():
        # Aliases, since one input may have been computed from another.
        given = [None if x is None else x.view_as(x) for x in inputs]
        out = function(*given)
        outs = (out,) if isinstance(out, Tensor) else out
        asked = [x for x, wants in zip(given, wanted, strict=True) if wants and x is not None]
        found = iter(torch.autograd.grad(outs, asked, grads, create_graph=True, allow_unused=True))
    pairs = zip(inputs, wanted, strict=True)
    return tuple(next(found) if wants and x is not None else None for x, wants in pairs)


def is_batched(grad: Tensor) -> bool:
    """Say whether a gradient stands for many, as ``is_grads_batched`` and vmap make it.

    Only PyTorch's own operations take it.
    """
    return is_batchedtensor(grad) or is_legacy_batchedtensor(grad)


def needs_reference(*grads: Tensor) -> bool:
    """Say whether a backward pass is to be made of PyTorch's own operations.

    So where it is differentiated again, and where gradients are batched.
    """
    return torch.is_grad_enabled() or any(map(is_batched, grads))


def differentiable_once(
    remedy: str,
) -> Callable[[Callable[..., Gradients]], Callable[..., Gradients]]:
    """Let a backward pass be differentiable once; a second time is refused with a remedy."""

    def decorate(backward: Callable[..., Gradients]) -> Callable[..., Gradients]:
        @functools.wraps(backward)
        def wrapper(ctx: Any, *grads: Tensor) -> Gradients:
            with torch.no_grad():
                found = backward(ctx, *grads)
            if not torch.is_grad_enabled():
                return found
            message = f"trying to differentiate twice (@once_differentiable): {remedy}"
            refuse: Any = _functions.DelayedError(message.encode(), len(found))
            return refuse(*[None if g is None else g.detach().requires_grad_() for g in found])

        return wrapper

    return decorate
