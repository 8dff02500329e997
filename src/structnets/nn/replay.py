"""Calling a module a second time as the first time: same mask, same precision, same statistics.

Reversible training evaluates every F twice, once in the forward pass without a graph and once
in the backward pass with one. `record` makes the first call and notes what it depended on;
`Recording.replay` makes the second, with the same result and without its side effects.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from structnets.nn.recorded_norm import (
    Context,
    Noted,
    Packed,
    pack,
    statistics_noted,
    statistics_repeated,
    unpack,
)

# Batch norms whose statistics are a function of the batch in this process.
_LOCAL_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# In training mode what these return does not depend on their buffers.
_BATCH_NORMS = (*_LOCAL_NORMS, nn.SyncBatchNorm)


@dataclass(frozen=True, slots=True)
class _Precision:
    """What autocast casts to on a device type, None where it is off.

    Weights are cast anew on every call: the cache is off, because a cast made without a graph would
    cut the graph of the next call.
    """

    device_type: str
    dtype: torch.dtype | None

    @staticmethod
    def of(device_type: str) -> _Precision:
        casts = _casts(device_type)
        return _precision(device_type, torch.get_autocast_dtype(device_type) if casts else None)

    def context(self) -> Context:
        if self.dtype is None and not _casts(self.device_type):
            return contextlib.nullcontext()
        enabled = self.dtype is not None
        return torch.autocast(self.device_type, self.dtype, enabled, cache_enabled=False)


_precision = functools.cache(_Precision)  # one of a kind for all recordings


def _casts(device_type: str) -> bool:
    available = torch.amp.is_autocast_available(device_type)
    return available and torch.is_autocast_enabled(device_type)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class _Buffer:
    """A buffer of a part of a module, and what it held before a call."""

    owner: nn.Module
    name: str
    held: Tensor
    copy: Tensor
    writes: int

    @classmethod
    def of(cls, owner: nn.Module, name: str, held: Tensor) -> _Buffer:
        return cls(owner, name, held, held.clone(), held._version)

    def changed(self) -> bool:
        now = self.owner._buffers[self.name]
        return now is not self.held or self.held._version != self.writes


@dataclass(frozen=True, slots=True)
class Recording:
    """What a call depended on besides its input and the module's parameters.

    Attributes
    ----------
    precision
        State of autocast.
    randomness
        State of the generators before the call; None if it drew no random numbers.
    unnoted : tuple of nn.Module
        The batch norms in training mode that did not note the statistics of all their calls.
    noted
        What the others noted.
    buffers : tuple
        The other buffers that the call changed.
    """

    precision: _Precision
    randomness: _Randomness | None
    unnoted: tuple[Any, ...]
    noted: Packed | None
    buffers: tuple[_Buffer, ...]

    def replay(self, function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Call `function` on `x` as at the time of the recording.

        Its random draws are the recorded ones and its changes to buffers are lost.
        """
        drawn = self.randomness.context() if self.randomness else contextlib.nullcontext()
        kept = _statistics_kept(self.unnoted) if self.unnoted else contextlib.nullcontext()
        swapped = _buffers_swapped(self.buffers) if self.buffers else contextlib.nullcontext()
        repeated = statistics_repeated(unpack(self.noted))
        with drawn, kept, swapped, self.precision.context(), repeated:
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
    norms, noted, buffers = _survey(module)
    randomness, precision = _Randomness.of(x.device), _Precision.of(x.device.type)
    with precision.context(), statistics_noted(noted):
        out = function(x)
    drew = not randomness.equals(_Randomness.of(x.device))
    packed = pack(noted)
    unnoted = tuple(norm for norm in norms if packed is None or norm not in packed.norms)
    changed = tuple(buffer for buffer in buffers if buffer.changed())
    return out, Recording(precision, randomness if drew else None, unnoted, packed, changed)


def _survey(module: nn.Module) -> tuple[list[Any], Noted, list[_Buffer]]:
    """Return the batch norms in training mode, what they can note into, and other buffers."""
    norms: list[Any] = []
    buffers: list[_Buffer] = []
    compiled = False
    for part in module.modules():
        compiled = compiled or _is_compiled(part)
        if type(part) in _BATCH_NORMS and part.training:
            norms.append(part)
        elif part._buffers:
            held = part._buffers.items()
            buffers += [_Buffer.of(part, name, b) for name, b in held if b is not None]
    noting = [n for n in norms if type(n) in _LOCAL_NORMS and "forward" not in vars(n)]
    return norms, {} if compiled else {norm: [] for norm in noting}, buffers


def _is_compiled(part: nn.Module) -> bool:
    """Say whether a part was compiled: another `forward` would have it compiled again."""
    return part._compiled_call_impl is not None or "_orig_mod" in part._modules


@contextlib.contextmanager
def _statistics_kept(norms: Iterable[Any]) -> Iterator[None]:
    """Let batch norm use the batch's statistics without counting the batch a second time."""
    tracking = [norm for norm in norms if norm.track_running_stats]
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True


@contextlib.contextmanager
def _buffers_swapped(buffers: Sequence[_Buffer]) -> Iterator[None]:
    """Give the parts copies of their recorded buffers for the time of the block."""
    now = [buffer.owner._buffers[buffer.name] for buffer in buffers]
    for buffer in buffers:
        buffer.owner._buffers[buffer.name] = buffer.copy.clone()
    try:
        yield
    finally:
        for buffer, held in zip(buffers, now, strict=True):
            buffer.owner._buffers[buffer.name] = held
