"""What is learned from which form of data, each in a module of its own.

A run depends on the modules of its own task and form alone, which are therefore imported by
name: its code digest (`structnets.training.code_digest`) leaves the others out.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.forms.entries import FormEntry, find_form
from structnets.specs.resolved import ResolvedSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from structnets.data.batches.examples import Examples


@dataclass(frozen=True)
class Measurement:
    """What a model does on a split.

    Attributes
    ----------
    metrics : dict of str to float
        Numbers by name, the loss among them.
    details : dict
        More entries of ``result.json``, plain JSON.
    """

    metrics: dict[str, float]
    details: dict[str, Any] = field(default_factory=dict)


class Task(Protocol):
    """What a model is trained for."""

    metric: str
    """Which number tells how good a model is."""

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        """Return the sum of the examples' losses, a scalar."""
        ...

    def measure(self, model: nn.Module, examples: Examples, device: torch.device) -> Measurement:
        """Measure `model` in evaluation mode; every worker calls it and gets the same."""
        ...


def form_of(spec: ResolvedSpec) -> FormEntry:
    """Return the modules a spec's data set is read and learned by."""
    form = find_form(find_dataset(spec["data"]["name"]).form)
    return form.for_prepared(spec["data"].get("prepare", {}))


def open_examples(
    spec: ResolvedSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, Examples]:
    """Open the splits a spec uses: ``train``, ``test``, and ``validation`` if it holds some out.

    Raises
    ------
    ValueError
        If the data do not fit the spec.
    """
    return importlib.import_module(form_of(spec).source).open_examples(spec, prepared, manifest)


def make_task(spec: ResolvedSpec, manifest: dict[str, Any]) -> Task:
    """Return the task of a spec."""
    return importlib.import_module(form_of(spec).task).make_task(spec, manifest)
