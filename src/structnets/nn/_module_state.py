"""What a module and its parts hold at a moment: to be read again as it was, or put back.

Parameters, buffers and plain attributes of every part; lists, dictionaries and the like are
copied, and a tensor whose numbers a call changed is kept as it was.
"""

from __future__ import annotations

import contextlib
import copy
import operator
import weakref
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from structnets.nn._constants import ConstantBuffers

_CONTAINERS = (list, dict, set, deque, bytearray, np.ndarray)
# What every module has: hooks, which no call changes, and the registries of its parts.
_REGISTRIES = frozenset(vars(nn.Module())) - {"training"}
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class PartState:
    """What one part held: its attributes, parameters and buffers.

    `everything` is its ``__dict__``, to be compared with quickly; None where it holds lists and the
    like, which may change without being another object.
    """

    attributes: Mapping[str, Any]
    parameters: Mapping[str, Any]
    buffers: Mapping[str, Any]
    everything: Mapping[str, Any] | None

    def is_held_by(self, part: nn.Module) -> bool:
        """Say whether a part surely holds this; False is an answer that may be wrong."""
        return (
            self.everything is not None
            and _identical(vars(part), self.everything)
            and _identical(part._parameters, self.parameters)
            and _identical(part._buffers, self.buffers)
        )

    def is_same(self, other: PartState) -> bool:
        """Say whether two states hold the very same objects."""
        return (
            _same(self.attributes, other.attributes)
            and _same(self.parameters, other.parameters)
            and _same(self.buffers, other.buffers)
        )


# The state of a part at its last call: equal ones are kept once for all calls.
_last: weakref.WeakKeyDictionary[nn.Module, PartState] = weakref.WeakKeyDictionary()


def state_of(part: nn.Module) -> PartState:
    """Return what a part holds, as one object for as long as nothing changes."""
    last = _last.get(part)
    if last is not None and last.is_held_by(part):
        return last
    everything: dict[str, Any] | None = {**vars(part)}
    attributes = {name: value for name, value in vars(part).items() if name not in _REGISTRIES}
    if not is_of_torch(part):
        for name, value in attributes.items():
            if isinstance(value, _CONTAINERS):
                attributes[name], everything = copy.copy(value), None
    state = PartState(attributes, dict(part._parameters), dict(part._buffers), everything)
    if everything is None and last is not None and last.is_same(state):
        return last
    _last[part] = state
    return state


def is_of_torch(part: nn.Module) -> bool:
    """Say whether a part is one of PyTorch's own, whose attributes no call changes."""
    return type(part).__module__.startswith("torch.nn.")


def wanted_tensors(states: Mapping[nn.Module, PartState]) -> tuple[Tensor, ...]:
    """Return the tensors of all parts that want a gradient, each once, parameters or not."""
    found: dict[int, Tensor] = {}
    for state in states.values():
        for held in (state.parameters, state.buffers, state.attributes):
            for value in held.values():
                if isinstance(value, Tensor) and value.requires_grad:
                    found.setdefault(id(value), value)
    return tuple(found.values())


def unwanted_tensors(states: Mapping[nn.Module, PartState]) -> Iterator[Tensor]:
    """Yield the tensors that parts read and that want no gradient: frozen weights, buffers.

    In training mode a batch norm reads none of its buffers. Known constants never change.
    """
    for part, state in states.items():
        held = [state.parameters]
        if not isinstance(part, ConstantBuffers) and not (
            isinstance(part, _BatchNorm) and part.training
        ):
            held.append(state.buffers)
        if not is_of_torch(part):
            held.append(state.attributes)
        for values in held:
            for value in values.values():
                if isinstance(value, Tensor) and not value.requires_grad:
                    yield value


def without_hooks(tensors: Sequence[Tensor]) -> dict[int, Tensor]:
    """Return aliases of those tensors that have hooks, by the ``id`` of what they stand for.

    A gradient that is only handed on to autograd would run them a second time.
    """
    return {
        id(t): nn.Parameter(t.detach()) if isinstance(t, nn.Parameter) else _leaf(t)
        for t in tensors
        if t._backward_hooks or t.retains_grad
    }


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_()


@dataclass(frozen=True, slots=True)
class HeldTensor:
    """A buffer, or a tensor that is a plain attribute, and what it held before a call."""

    owner: nn.Module
    registry: str
    name: str
    held: Tensor
    copy: Tensor

    def changed(self) -> bool:
        """Say whether the call put another tensor here, or other numbers into this one.

        Numbers are compared: some of PyTorch's functions write them without telling autograd.
        """
        if self.now() is not self.held:
            return True
        return not (self.held.is_meta or torch.equal(self.held, self.copy))

    def now(self) -> Any:
        """Return what is there."""
        return _registry(self.owner, self.registry).get(self.name)


def held_tensors(part: nn.Module) -> Iterator[HeldTensor]:
    """Yield the tensors of a part that a call might change."""
    if not isinstance(part, ConstantBuffers):
        for name, buffer in part._buffers.items():
            if buffer is not None:
                yield HeldTensor(part, "_buffers", name, buffer, buffer.detach().clone())
    if not is_of_torch(part):
        for name, value in vars(part).items():
            if isinstance(value, Tensor) and not value.requires_grad:
                yield HeldTensor(part, "__dict__", name, value, value.clone())


@contextlib.contextmanager
def as_recorded(
    states: Mapping[nn.Module, PartState],
    changed: Sequence[HeldTensor],
    instead: Mapping[int, Tensor],
) -> Iterator[None]:
    """Give the parts what they held at a record, then put back what they hold now.

    Parameters
    ----------
    states, changed
        What they held.
    instead : mapping
        Of the ``id`` of tensors, what is put into their place.
    """
    now = [(part, {**vars(part)}, {**part._parameters}, {**part._buffers}) for part in states]
    try:
        for part, state in states.items():
            if not instead and state.is_held_by(part):
                continue
            _set(vars(part), _replaced(_copies(state.attributes), instead), keep=_REGISTRIES)
            _set(part._parameters, _replaced(state.parameters, instead))
            _set(part._buffers, _replaced(state.buffers, instead))
        for tensor in changed:
            _registry(tensor.owner, tensor.registry)[tensor.name] = tensor.copy.clone()
        yield
    finally:
        for part, attributes, parameters, buffers in now:
            _set(vars(part), attributes)
            _set(part._parameters, parameters)
            _set(part._buffers, buffers)


def _copies(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: copy.copy(value) if isinstance(value, _CONTAINERS) else value
        for name, value in attributes.items()
    }


def _replaced(values: Mapping[str, Any], instead: Mapping[int, Tensor]) -> Mapping[str, Any]:
    if not instead:
        return values
    return {name: instead.get(id(value), value) for name, value in values.items()}


def _registry(part: nn.Module, name: str) -> dict[str, Any]:
    return vars(part) if name == "__dict__" else getattr(part, name)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return len(one) == len(other) and all(
        other.get(name, _NOTHING) is value for name, value in one.items()
    )


def _identical(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Say whether both hold the same objects under the same names in the same order."""
    return (
        len(one) == len(other)
        and all(map(operator.is_, one.values(), other.values()))
        and tuple(one) == tuple(other)
    )


def _set(
    held: dict[str, Any], values: Mapping[str, Any], keep: frozenset[str] = frozenset()
) -> None:
    if _identical(held, values):
        return
    for name in [name for name in held if name not in values and name not in keep]:
        del held[name]
    for name, value in values.items():
        if held.get(name, _NOTHING) is not value:
            held[name] = value
