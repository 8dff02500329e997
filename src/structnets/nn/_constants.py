"""`ConstantBuffers`: buffers that are known from the constructor's arguments alone.

They are no part of ``state_dict()``, so nothing but the module itself can restore them where
memory was replaced: after ``to_empty()``, or loading into a module built on ``meta``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from structnets.nn._modes import is_traced


class ConstantBuffers(nn.Module):
    """A module that computes some of its buffers, in float64, whenever their memory is replaced.

    A change of precision therefore rounds the exact values anew, and restores what an earlier
    change had rounded away.
    """

    def constants(self) -> Mapping[str, np.ndarray]:
        """Return the exact values by the buffers' names."""
        raise NotImplementedError

    def register_constants(
        self, device: torch.device | str | None = None, dtype: torch.dtype | None = None
    ) -> None:
        """Register the buffers; to be called once, by the constructor."""
        dtype = dtype or torch.get_default_dtype()
        for name, value in self.constants().items():
            buffer = torch.tensor(value, device=device, dtype=dtype)
            self.register_buffer(name, buffer, persistent=False)

    def restore_constants(self) -> None:
        """Write the exact values into the buffers, in place."""
        with torch.no_grad():
            for name, value in self.constants().items():
                buffer = self.get_buffer(name)
                if not buffer.is_meta:
                    buffer.copy_(torch.tensor(value, device=buffer.device))

    def constant(self, name: str, like: Tensor) -> Tensor:
        """Return a buffer in the precision and on the device of another tensor."""
        buffer = self.get_buffer(name)
        if isinstance(like, torch.fx.Proxy):
            return buffer
        if buffer.is_meta and not like.is_meta:
            # A layer without weights is not told that the net's were loaded by assignment.
            buffer = self._buffers[name] = self._made(name, like)
        if like.dtype == torch.float64 != buffer.dtype and not is_traced(like):
            return self._made(name, like)  # of a layer in lower precision, whose buffer is rounded
        return buffer.to(like.dtype)

    def _made(self, name: str, like: Tensor) -> Tensor:
        with torch.inference_mode(False):
            return torch.tensor(self.constants()[name], dtype=like.dtype, device=like.device)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:
        names = list(self.constants())
        before = [self._buffers.get(name) for name in names]
        super()._apply(fn, recurse)
        if any(self._buffers.get(n) is not b for n, b in zip(names, before, strict=True)):
            self.restore_constants()
        return self

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any
    ) -> None:
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
        own = next(self.parameters(recurse=False), None)
        loaded = own if own is not None else next(filter(torch.is_tensor, state_dict.values()), own)
        if loaded is None or loaded.is_meta:
            return
        for name, value in self.constants().items():
            buffer = self._buffers[name]
            # Assigned weights may be of another kind than those the module was built with.
            if buffer is not None and buffer.is_meta:
                real = own is not None or loaded.is_floating_point()
                dtype = (loaded if real else buffer).dtype
                self._buffers[name] = torch.tensor(value, dtype=dtype, device=loaded.device)
