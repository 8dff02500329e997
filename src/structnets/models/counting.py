"""Parameter counts, as trained and as collapsed to plain convolutions, and counts of filters."""

from __future__ import annotations

import functools
import json
from typing import Protocol, runtime_checkable

import torch
from torch import nn

from structnets.identity import canonical_json
from structnets.models.registry import create_for_spec
from structnets.nn.gaussian_conv import GaussianConv2d
from structnets.nn.learned_basis_conv import LearnedBasisConv2d
from structnets.specs.resolved import ResolvedSpec


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


def spatial_filters(model: nn.Module) -> int:
    """Count the 2D filters that are wider than a pixel (the column "2DFilters" of Table 1).

    A structured layer has those of its basis, which all pairs of channels share; a plain one has
    one for each pair.
    """
    total = 0
    for layer in model.modules():
        if isinstance(layer, GaussianConv2d):
            total += len(layer.basis)
        elif isinstance(layer, LearnedBasisConv2d):
            total += len(layer.basis_kernels)
        elif isinstance(layer, nn.Conv2d) and max(layer.kernel_size) > 1:
            total += layer.weight.shape[0] * layer.weight.shape[1]
    return total


def count(spec: ResolvedSpec, what: str) -> float:
    """Count something of a spec's model, as tables show it.

    Parameters
    ----------
    spec : dict
        Resolved spec.
    what : {'parameters', 'collapsed_parameters', 'spatial_filters'}
        The first two are given in millions.
    """
    return _count(canonical_json(spec), what)


@functools.cache
def _count(spec: str, what: str) -> float:
    """Count of a spec in JSON, once: presets of a table, and tables, show the same nets."""
    model = weightless(json.loads(spec))
    if what == "spatial_filters":
        return spatial_filters(model)
    counts = {"parameters": trained_parameters, "collapsed_parameters": collapsed_parameters}
    return counts[what](model) / 1e6


def count_parameters(spec: ResolvedSpec) -> int:
    """Count the trained weights of a spec's model, for the classes of its data set."""
    return trained_parameters(weightless(spec))


def weightless(spec: ResolvedSpec) -> nn.Module:
    """Build a spec's model for the classes of its data set on torch's meta device."""
    from structnets.data.sets.entries.catalogue import class_count, find_dataset

    data = spec["data"]
    classes = class_count(data["name"], data["prepare"])
    with torch.device("meta"):
        return create_for_spec(spec, classes, find_dataset(data["name"]).image_shape)
