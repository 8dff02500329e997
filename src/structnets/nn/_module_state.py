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
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from structnets.nn._constants import ConstantBuffers

_CONTAINERS = (list, dict, set, deque, bytearray, np.ndarray)
# What every module has: hooks, which no call changes, and the registries of its parts.
_REGISTRIES = frozenset(vars(nn.Module())) - {"training"}
_NOTHING = object()


class Held(NamedTuple):
    """Names and objects of a dictionary; a fifth of the memory of a copy."""

    names: tuple[str, ...]
    values: tuple[Any, ...]

    @classmethod
    def of(cls, held: Mapping[str, Any]) -> Held:
        """Read a dictionary."""
        names = tuple(held.keys())
        return cls(_names.setdefault(names, names), tuple(held.values()))

    def is_in(self, held: Mapping[str, Any]) -> bool:
        """Say whether a dictionary holds the same objects under the same names in this order."""
        return (
            len(held) == len(self.values)
            and all(map(operator.is_, held.values(), self.values))
            and tuple(held) == self.names
        )

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield names and objects."""
        return zip(self.names, self.values, strict=True)


# The names that modules of a kind have are kept once for all of them.
_names: dict[tuple[str, ...], tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class PartState:
    """What one part held: its ``__dict__``, parameters and buffers.

    `has_copies` says that it held lists and the like, which may change without being another
    object; they are copied.
    """

    everything: Held
    parameters: Held
    buffers: Held
    has_copies: bool

    def is_held_by(self, part: nn.Module) -> bool:
        """Say whether a part surely holds this; False is an answer that may be wrong."""
        return (
            not self.has_copies
            and self.everything.is_in(vars(part))
            and self.parameters.is_in(part._parameters)
            and self.buffers.is_in(part._buffers)
        )

    def attributes(self) -> dict[str, Any]:
        """Return what it held besides the registries of modules; lists and the like as copies."""
        held = {name: value for name, value in self.everything.items() if name not in _REGISTRIES}
        return _copies(held) if self.has_copies else held


# The state of a part at its last call: equal ones are kept once for all calls.
_last: weakref.WeakKeyDictionary[nn.Module, PartState] = weakref.WeakKeyDictionary()


def state_of(part: nn.Module) -> PartState:
    """Return what a part holds, as one object for as long as nothing changes."""
    last = _last.get(part)
    if last is not None and last.is_held_by(part):
        return last
    everything = vars(part)
    has_copies = not is_of_torch(part) and any(_may_change(*item) for item in everything.items())
    everything = _copies(everything) if has_copies else everything
    state = PartState(
        Held.of(everything), Held.of(part._parameters), Held.of(part._buffers), has_copies
    )
    _last[part] = state
    return state


def is_of_torch(part: nn.Module) -> bool:
    """Say whether a part is one of PyTorch's own, whose attributes no call changes."""
    return type(part).__module__.startswith("torch.nn.")


def wanted_tensors(states: Mapping[nn.Module, PartState]) -> tuple[Tensor, ...]:
    """Return the tensors of all parts that want a gradient, each once, parameters or not."""
    found: dict[int, Tensor] = {}
    for state in states.values():
        for held in (state.parameters, state.buffers, state.everything):
            for value in held.values:
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
            held.append(state.everything)
        for one in held:
            for value in one.values:
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
    now = [(held, Held.of(held)) for part in states for held in _dictionaries(part)]
    try:
        for part, state in states.items():
            if not instead and state.is_held_by(part):
                continue
            _set(vars(part), _replaced(state.attributes(), instead), keep=_REGISTRIES)
            _set(part._parameters, _replaced(dict(state.parameters.items()), instead))
            _set(part._buffers, _replaced(dict(state.buffers.items()), instead))
        for tensor in changed:
            _registry(tensor.owner, tensor.registry)[tensor.name] = tensor.copy.clone()
        yield
    finally:
        for held, before in now:
            if not before.is_in(held):
                _set(held, dict(before.items()))


def _dictionaries(part: nn.Module) -> tuple[dict[str, Any], ...]:
    return vars(part), part._parameters, part._buffers


def _copies(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: copy.copy(value) if _may_change(name, value) else value
        for name, value in attributes.items()
    }


def _may_change(name: str, value: Any) -> bool:
    """Say whether an attribute may change without being another object."""
    return isinstance(value, _CONTAINERS) and name not in _REGISTRIES


def _replaced(values: Mapping[str, Any], instead: Mapping[int, Tensor]) -> Mapping[str, Any]:
    if not instead:
        return values
    return {name: instead.get(id(value), value) for name, value in values.items()}


def _registry(part: nn.Module, name: str) -> dict[str, Any]:
    return vars(part) if name == "__dict__" else getattr(part, name)


def _set(
    held: dict[str, Any], values: Mapping[str, Any], keep: frozenset[str] = frozenset()
) -> None:
    for name in [name for name in held if name not in values and name not in keep]:
        del held[name]
    for name, value in values.items():
        if held.get(name, _NOTHING) is not value:
            held[name] = value
