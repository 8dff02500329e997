"""What no weight of a model changes, computed once per example and kept while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.data.batches.examples import Examples, Step
from structnets.specs.resolved import ResolvedSpec

# The most bytes that may be kept for one split (AD-126 at 4 mm with 58 atoms: 3.4e9).
MOST_BYTES = 2**32


class FixedStage:
    """Examples whose inputs have passed the fixed part of a model.

    Parameters
    ----------
    examples : Examples
        The inputs themselves.
    stage : callable
        Maps a batch to a list with one tensor per example.
    """

    def __init__(self, examples: Examples, stage: Callable[[Tensor], list[Tensor]]) -> None:
        self._examples, self._stage = examples, stage
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._examples)

    def batch(self, positions: np.ndarray, device: torch.device) -> tuple[Any, Tensor]:
        """Return what the model continues from, a tensor per example, and the targets.

        A worker without a share of a batch gets an empty batch of inputs.
        """
        if not len(positions):
            return self._examples.batch(positions, device)
        for position in positions.tolist():
            if position not in self._kept:
                inputs, targets = self._examples.batch(np.array([position]), device)
                self._kept[position] = self._stage(inputs)[0], targets[0]
        chosen = [self._kept[position] for position in positions.tolist()]
        return [passed for passed, _ in chosen], torch.stack([target for _, target in chosen])

    def stream(self, steps: Iterable[Step], device: torch.device) -> Iterator[tuple[Any, Tensor]]:
        """Return the worker's parts of consecutive steps."""
        return (self.batch(step.batch[step.part], device) for step in steps)


def past_fixed_stage(model: nn.Module, examples: Examples, spec: ResolvedSpec) -> Examples:
    """Return examples past the fixed part of a model, or as they are where that does not pay.

    A model with a fixed part has a method ``fixed_stage(x)``, which returns a list with one
    tensor per example or None, and takes such a list in place of x. It is used on processors,
    where nothing is augmented and the answers fit `MOST_BYTES`.

    Parameters
    ----------
    model : nn.Module
        Where it will be trained.
    examples : Examples
        A split.
    spec : dict
        Resolved spec.
    """
    stage = getattr(model, "fixed_stage", None)
    parameter = next(model.parameters(), None)
    augmented = spec["recipe"].get("augmentation") or spec["recipe"].get("crop")
    if stage is None or parameter is None or parameter.device.type != "cpu" or augmented:
        return examples
    first = stage(examples.batch(np.arange(1), parameter.device)[0])
    if first is None or first[0].nbytes * len(examples) > MOST_BYTES:
        return examples
    return FixedStage(examples, stage)
