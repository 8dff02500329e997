"""What ``torch.jit.script`` is given in a layer's place."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn


def scripted_form(layer: nn.Module, collapse: Callable[[], nn.Module] | None = None) -> nn.Module:
    """Return the plain layer that a structured one equals.

    Parameters
    ----------
    layer : nn.Module
        A structured layer.
    collapse : callable, optional
        Makes the plain one, if there is one of PyTorch's own layers.

    Raises
    ------
    RuntimeError
        In training mode, and where there is none.
    """
    name = type(layer).__name__
    if collapse is None:
        raise RuntimeError(
            f"torch.jit.script cannot compile {name}: use torch.jit.trace, torch.export or "
            "torch.compile"
        )
    if layer.training:
        raise RuntimeError(
            f"torch.jit.script compiles the plain convolution that {name} equals, which would "
            "train other weights: call eval() first, or use torch.compile"
        )
    return collapse()
