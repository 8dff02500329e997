"""Calling a module a second time as the first time: same mask, same precision, same statistics.

Reversible training evaluates every F twice, once in the forward pass without a graph and once
in the backward pass with one. `record` makes the first call and notes what it depended on;
`Recording.replay` makes the second, with the same result and without its side effects: whatever F
counts, remembers or draws is as if it had been called once.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from structnets.nn._modes import autocast_dtype
from structnets.nn._module_state import (
    HeldTensor,
    PartState,
    as_recorded,
    held_tensors,
    state_of,
    wanted_tensors,
)
from structnets.nn._randomness import Randomness, generators_of
from structnets.nn._recorded_convolution import NarrowOutputs, Outputs, outputs_repeated
from structnets.nn._recorded_norm import (
    Noted,
    Packed,
    pack,
    statistics_noted,
    statistics_repeated,
    unpack,
)
from structnets.nn._replaced_forward import Context

# Batch norms whose statistics are a function of the batch in this process.
_LOCAL_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# In training mode what these return does not depend on their buffers.
_BATCH_NORMS = (*_LOCAL_NORMS, nn.SyncBatchNorm)
# Calls change what modules hold for their time, so one at a time in a process.
_LOCK = threading.RLock()


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
        return _precision(device_type, autocast_dtype(device_type))

    def context(self) -> Context:
        if self.dtype is None and autocast_dtype(self.device_type) is None:
            return contextlib.nullcontext()
        enabled = self.dtype is not None
        return torch.autocast(self.device_type, self.dtype, enabled, cache_enabled=False)


_precision = functools.cache(_Precision)  # one of a kind for all recordings


@dataclass(frozen=True, slots=True)
class Recording:
    """What a call depended on besides its arguments.

    Attributes
    ----------
    states
        What the module's parts held before the call.
    precision
        State of autocast.
    randomness
        State of the generators before the call; None if it drew no random numbers.
    unnoted : tuple of nn.Module
        The batch norms in training mode that did not note the statistics of all their calls.
    noted
        What the others noted.
    buffers : tuple
        The other tensors whose numbers the call changed.
    """

    states: Mapping[nn.Module, PartState]
    precision: _Precision
    randomness: Randomness | None
    unnoted: tuple[Any, ...]
    noted: Packed | None
    buffers: tuple[HeldTensor, ...]

    def replay(
        self,
        function: Callable[..., Tensor],
        *arguments: Any,
        instead: Mapping[int, Tensor] | None = None,
        outputs: Outputs | None = None,
    ) -> Tensor:
        """Call `function` as at the time of the recording; its side effects are lost.

        Parameters
        ----------
        function, *arguments
            As at the record.
        instead : mapping, optional
            Of the ``id`` of tensors that the parts hold, what they are to hold in their place.
        outputs : mapping, optional
            Outputs of convolutions that were kept, and need not be computed.
        """
        drawn = self.randomness.context() if self.randomness else contextlib.nullcontext()
        kept = _statistics_kept(self.unnoted) if self.unnoted else contextlib.nullcontext()
        repeated = statistics_repeated(unpack(self.noted))
        given = outputs_repeated(outputs or {})
        recorded = as_recorded(self.states, self.buffers, instead or {})
        with _LOCK, drawn, recorded, kept, self.precision.context(), _uncached(), repeated, given:
            return function(*arguments)


def record(
    module: nn.Module,
    function: Callable[..., Tensor],
    *arguments: Any,
    states: Mapping[nn.Module, PartState] | None = None,
    narrow: NarrowOutputs | None = None,
) -> tuple[Tensor, Recording]:
    """Call `function`, which calls `module`, whose `states` may have been read before.

    Narrow outputs are kept if it is said where; of modules that were compiled, none.

    Returns
    -------
    Tensor
        What the call returned.
    Recording
        To call it again.
    """
    device = arguments[0].device
    with _LOCK:
        states = survey_states(module)[0] if states is None else states
        compiled = any(map(_is_compiled, states))
        norms, noted, held = _survey(states, compiled)
        kept = narrow.kept() if narrow and not compiled else contextlib.nullcontext()
        generators = generators_of(states)
        randomness, precision = Randomness.of(device, generators), _Precision.of(device.type)
        with precision.context(), _uncached(), statistics_noted(noted), kept:
            out = function(*arguments)
        drew = not randomness.equals(Randomness.of(device, generators))
        packed = pack(noted)
        unnoted = tuple(norm for norm in norms if packed is None or norm not in packed.norms)
        changed = tuple(tensor for tensor in held if tensor.changed())
    drawn = randomness if drew else None
    return out, Recording(states, precision, drawn, unnoted, packed, changed)


def survey_states(module: nn.Module) -> tuple[dict[nn.Module, PartState], tuple[Tensor, ...]]:
    """Return what the parts of a module hold, and their tensors that want a gradient."""
    with _LOCK:
        states = {part: state_of(part) for part in module.modules()}
    return states, wanted_tensors(states)


def _survey(
    parts: Iterable[nn.Module], compiled: bool
) -> tuple[list[Any], Noted, list[HeldTensor]]:
    """Return the batch norms in training mode, what they can note into, and other tensors."""
    norms: list[Any] = []
    held: list[HeldTensor] = []
    for part in parts:
        if type(part) in _BATCH_NORMS and part.training:
            norms.append(part)
        else:
            held += held_tensors(part)
    noting = [n for n in norms if type(n) in _LOCAL_NORMS and "forward" not in vars(n)]
    return norms, {} if compiled else {norm: [] for norm in noting}, held


def _is_compiled(part: nn.Module) -> bool:
    """Say whether a part was compiled: another `forward` would have it compiled again."""
    return part._compiled_call_impl is not None or "_orig_mod" in part._modules


@contextlib.contextmanager
def _statistics_kept(norms: Iterable[Any]) -> Iterator[None]:
    """Let batch norm use the batch's statistics without counting the batch a second time."""
    held = [(norm, {**norm._buffers}) for norm in norms]
    for norm, buffers in held:
        norm._buffers.update({n: None if b is None else b.clone() for n, b in buffers.items()})
    try:
        yield
    finally:
        for norm, buffers in held:
            norm._buffers.update(buffers)


@contextlib.contextmanager
def _uncached() -> Iterator[None]:
    """Compute parametrised weights anew, inside of ``parametrize.cached()`` too.

    What is cached without a graph would cut the graph of the next call.
    """
    enabled = parametrize._cache_enabled
    parametrize._cache_enabled = 0
    try:
        yield
    finally:
        parametrize._cache_enabled = enabled
