"""Parameter counts, as trained and as collapsed to plain convolutions."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from structnets.models.registry import create_for_data


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


def count_parameters(spec: dict[str, Any]) -> int:
    """Count the trained weights of a spec's model, for the classes of its data set."""
    from structnets.data.catalogue import class_count, find_dataset

    model, data = spec["model"], spec["data"]
    classes = class_count(data["name"], data["prepare"])
    shape = find_dataset(data["name"]).image_shape
    with torch.device("meta"):  # counts need no weights
        return trained_parameters(create_for_data(model["name"], model["options"], classes, shape))
