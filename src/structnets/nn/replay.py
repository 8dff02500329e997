"""Calling a module a second time as the first time: same mask, same precision, same statistics.

Reversible training evaluates every F twice, once in the forward pass without a graph and once
in the backward pass with one. `record` makes the first call and notes what it depended on;
`Recording.replay` makes the second, with the same result and without its side effects.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

# In training mode what these return does not depend on their buffers.
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


@dataclass(frozen=True)
class _Precision:
    """The state of autocast on a device type; weights are cast anew on every call.

    The cache is off because a cast made without a graph would cut the graph of the next call.
    """

    device_type: str
    enabled: bool
    dtype: torch.dtype | None

    @classmethod
    def of(cls, device_type: str) -> _Precision:
        if not torch.amp.is_autocast_available(device_type):
            return cls(device_type, False, None)
        enabled = torch.is_autocast_enabled(device_type)
        return cls(device_type, enabled, torch.get_autocast_dtype(device_type))

    def context(self) -> contextlib.AbstractContextManager[object]:
        if self.dtype is None:
            return contextlib.nullcontext()
        return torch.autocast(self.device_type, self.dtype, self.enabled, cache_enabled=False)


@dataclass(frozen=True)
class _Randomness:
    """States of the random generators of the CPU and of the input's device."""

    device: torch.device
    states: tuple[Tensor, ...]

    @classmethod
    def of(cls, device: torch.device) -> _Randomness:
        states = [torch.get_rng_state()]
        if device.type not in ("cpu", "meta"):
            states.append(torch.get_device_module(device).get_rng_state(device))
        return cls(device, tuple(states))

    def equals(self, other: _Randomness) -> bool:
        return all(map(torch.equal, self.states, other.states))

    @contextlib.contextmanager
    def context(self) -> Iterator[None]:
        """Replay the draws; the generators go on afterwards where they were before."""
        now = _Randomness.of(self.device)
        self._set()
        try:
            yield
        finally:
            now._set()

    def _set(self) -> None:
        torch.set_rng_state(self.states[0])
        if len(self.states) > 1:
            torch.get_device_module(self.device).set_rng_state(self.states[1], self.device)


@dataclass(frozen=True)
class Recording:
    """What a call depended on besides its input and the module's parameters.

    Attributes
    ----------
    module : nn.Module
        What was called.
    precision
        State of autocast.
    randomness
        State of the generators before the call; None if it drew no random numbers.
    buffers : dict of Tensor
        Values before the call of the buffers that it changed.
    """

    module: nn.Module
    precision: _Precision
    randomness: _Randomness | None
    buffers: dict[str, Tensor]

    def replay(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Call `function`, which calls the module, as at the time of the recording.

        Its random draws are the recorded ones and its changes to buffers are lost.
        """
        drawn = self.randomness.context() if self.randomness else contextlib.nullcontext()
        with (
            drawn,
            self.precision.context(),
            _statistics_kept(self.module),
            _buffers_swapped(self.module, self.buffers),
        ):
            return function(x)


def record(
    module: nn.Module, function: Callable[[Tensor], Tensor], x: Tensor
) -> tuple[Tensor, Recording]:
    """Call `function`, which calls `module`, on `x`.

    Returns
    -------
    Tensor
        What the call returned.
    Recording
        To call it again.
    """
    held = dict(_influential_buffers(module))
    copies = {name: buffer.clone() for name, buffer in held.items()}
    writes = {name: buffer._version for name, buffer in held.items()}
    randomness, precision = _Randomness.of(x.device), _Precision.of(x.device.type)
    with precision.context():
        out = function(x)
    drew = not randomness.equals(_Randomness.of(x.device))
    after = dict(_influential_buffers(module))
    changed = {
        name: copies[name]
        for name, buffer in held.items()
        if after.get(name) is not buffer or buffer._version != writes[name]
    }
    return out, Recording(module, precision, randomness if drew else None, changed)


def _training_norms(module: nn.Module) -> list[Any]:
    return [m for m in module.modules() if type(m) in _BATCH_NORMS and m.training]


def _influential_buffers(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for prefix, part in module.named_modules():
        if type(part) in _BATCH_NORMS and part.training:
            continue
        yield from part.named_buffers(prefix, recurse=False)


@contextlib.contextmanager
def _statistics_kept(module: nn.Module) -> Iterator[None]:
    """Let batch norm use the batch's statistics without counting the batch a second time."""
    norms = [norm for norm in _training_norms(module) if norm.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True


@contextlib.contextmanager
def _buffers_swapped(module: nn.Module, buffers: dict[str, Tensor]) -> Iterator[None]:
    """Give `module` copies of recorded buffers for the time of the block."""
    held = {}
    for name, value in buffers.items():
        owner, _, attribute = name.rpartition(".")
        part = module.get_submodule(owner)
        held[name] = (part, attribute, part._buffers[attribute])
        part._buffers[attribute] = value.clone()
    try:
        yield
    finally:
        for part, attribute, buffer in held.values():
            part._buffers[attribute] = buffer
