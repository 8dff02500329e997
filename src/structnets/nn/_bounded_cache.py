"""`BoundedCache`: tensors made for the sizes met last, never part of a copy or a file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor

Value = TypeVar("Value")
MOST_BYTES = 2**26


class BoundedCache(Generic[Value]):
    """Values by key, the least recently used dropped first.

    Parameters
    ----------
    tensors_of : callable
        Lists the tensors of a value, whose bytes count.
    most_bytes : int
        What all but the newest value may take together.
    """

    def __init__(
        self, tensors_of: Callable[[Value], Iterable[Tensor]], most_bytes: int = MOST_BYTES
    ) -> None:
        self._tensors_of, self._most_bytes = tensors_of, most_bytes
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key, made now if it is not there.

        It is made outside of autograd and of inference mode, whichever is on: it serves later
        calls in other modes. What a tracer or a functional transform made of it is not kept.
        """
        with self._lock:
            found = self._values.get(key)
            if found is not None:
                self._values.move_to_end(key)
                return found[0]
        with torch.inference_mode(False), torch.no_grad():
            value = make()
        tensors = list(self._tensors_of(value))
        if all(map(is_ordinary, tensors)):
            with self._lock:
                self._values[key] = value, sum(tensor.nbytes for tensor in tensors)
                while len(self._values) > 1 and self.nbytes > self._most_bytes:
                    self._values.popitem(last=False)
        return value

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors kept."""
        return sum(size for _, size in self._values.values())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()

    def __len__(self) -> int:
        """Return the number of values kept."""
        return len(self._values)

    def __deepcopy__(self, memo: Any) -> BoundedCache[Value]:
        """Return an empty cache."""
        return BoundedCache(self._tensors_of, self._most_bytes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle as an empty cache."""
        return BoundedCache, (self._tensors_of, self._most_bytes)


def is_ordinary(tensor: Tensor) -> bool:
    """Say whether a tensor holds its own numbers, outside of any tracer or transform."""
    wrapped = is_functorch_wrapped_tensor(tensor)
    return type(tensor) is Tensor and not wrapped and not tensor.is_inference()
