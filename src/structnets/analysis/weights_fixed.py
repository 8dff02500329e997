"""Weights that want no gradients for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from torch import nn
from torch.nn.parameter import is_lazy


@contextlib.contextmanager
def weights_fixed(function: Any) -> Iterator[None]:
    """Ask for no gradients of weights inside the block; they would double the work.

    Parameters
    ----------
    function : nn.Module, a method of one, or any callable
        Of others there are no weights. Those that a first call makes (`LazyLinear`) are left out.
    """
    owner = getattr(function, "__self__", function)
    weights = owner.parameters() if isinstance(owner, nn.Module) else ()
    wanted = [weight for weight in weights if weight.requires_grad and not is_lazy(weight)]
    for weight in wanted:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in wanted:
            weight.requires_grad_(True)
