"""What random numbers a call may draw, to be drawn again by a second call and by nobody else."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from structnets.nn._module_state import PartState, is_of_torch


@dataclass(frozen=True, slots=True)
class Randomness:
    """States of all random generators that a call may draw from.

    Those of PyTorch on the CPU and on the input's device, of Python, of NumPy, and those that are
    attributes of a part.
    """

    device: torch.device
    states: tuple[Any, ...]
    generators: tuple[torch.Generator, ...] = ()

    @classmethod
    def of(cls, device: torch.device, generators: tuple[torch.Generator, ...] = ()) -> Randomness:
        """Read the states."""
        states: list[Any] = [random.getstate(), np.random.get_state(), torch.get_rng_state()]
        if device.type not in ("cpu", "meta"):
            states.append(torch.get_device_module(device).get_rng_state(device))
        states += [generator.get_state() for generator in generators]
        return cls(device, tuple(states), generators)

    def equals(self, other: Randomness) -> bool:
        """Say whether nothing was drawn between the two."""
        python, numpy, *torchs = self.states
        python_too, numpy_too, *torchs_too = other.states
        return (
            all(map(torch.equal, torchs, torchs_too))
            and python == python_too
            and numpy[2:] == numpy_too[2:]
            and np.array_equal(numpy[1], numpy_too[1])
        )

    @contextlib.contextmanager
    def context(self) -> Iterator[None]:
        """Replay the draws; the generators go on afterwards where they were before."""
        now = Randomness.of(self.device, self.generators)
        self._set()
        try:
            yield
        finally:
            now._set()

    def _set(self) -> None:
        python, numpy, cpu, *others = self.states
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(cpu)
        if self.device.type not in ("cpu", "meta"):
            torch.get_device_module(self.device).set_rng_state(others.pop(0), self.device)
        for generator, state in zip(self.generators, others, strict=True):
            generator.set_state(state)


def generators_of(states: Mapping[nn.Module, PartState]) -> tuple[torch.Generator, ...]:
    """Return the generators that are attributes of parts."""
    return tuple(
        value
        for part, state in states.items()
        if not is_of_torch(part)
        for value in state.everything.values
        if isinstance(value, torch.Generator)
    )
