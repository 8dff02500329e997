"""Parameter counts, as trained and as collapsed to plain convolutions."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import nn


@runtime_checkable
class Collapsible(Protocol):
    """A structured layer that has an equivalent plain one."""

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain layer."""
        ...


def trained_parameters(model: nn.Module) -> int:
    """Count the trained weights (batch-norm statistics are buffers and do not count)."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def collapsed_parameters(model: nn.Module) -> int:
    """Count the weights after every structured layer is collapsed to a plain one."""
    total = trained_parameters(model)
    for layer in model.modules():
        if isinstance(layer, Collapsible):
            total += layer.collapsed_parameters() - trained_parameters(layer)
    return total
