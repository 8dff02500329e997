"""Memory of batches, used again: asking the system for fresh pages costs more than filling them."""

from __future__ import annotations

import sys
import threading

import numpy as np
import torch
from torch import Tensor


def _references(arrays: list[np.ndarray], position: int) -> int:
    return sys.getrefcount(arrays[position])


# What refers to an array that only a list holds; versions of Python count differently.
_UNUSED = _references([np.empty(0)], 0)


class BatchBuffers:
    """Tensors whose memory comes back when nothing uses them any more.

    A tensor made of a NumPy array keeps a reference to it until its storage is freed, whoever
    holds that: a view, or autograd. So an array without other references is free.
    """

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []
        self._lock = threading.Lock()

    def take(self, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Return a tensor of uint8 or float32; its values are arbitrary."""
        kind = np.dtype(np.uint8 if dtype == torch.uint8 else np.float32)
        size = int(np.prod(shape)) * kind.itemsize
        with self._lock:
            return torch.from_numpy(self._free(size)).view(dtype).view(shape)

    def _free(self, size: int) -> np.ndarray:
        for position in range(len(self._arrays)):
            if _references(self._arrays, position) == _UNUSED and (
                self._arrays[position].size == size
            ):
                return self._arrays[position]
        # Arrays of another size are those of an earlier use.
        self._arrays = [array for array in self._arrays if array.size == size]
        self._arrays.append(np.empty(size, dtype=np.uint8))
        return self._arrays[-1]
