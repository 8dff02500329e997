"""What PyTorch is doing around a call: autocast, tracing, functional transforms."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor, nn
from torch._C._functorch import peek_interpreter_stack
from torch.autograd import forward_ad

LOW = (torch.float16, torch.bfloat16)


def autocast_dtype(device_type: str) -> torch.dtype | None:
    """Return what autocast casts to on a kind of device; None where it is off."""
    if not isinstance(device_type, str):  # of what torch.fx records
        return None
    if not torch.amp.is_autocast_available(device_type):
        return None
    return torch.get_autocast_dtype(device_type) if torch.is_autocast_enabled(device_type) else None


def is_low(x: Tensor) -> bool:
    """Say whether maps are in half precision, or autocast would make them so."""
    return x.dtype in LOW or autocast_dtype(x.device.type) is not None


def without_autocast(device_type: str) -> contextlib.AbstractContextManager[Any]:
    """Return a context in which autocast is off; devices without autocast need none."""
    if autocast_dtype(device_type) is None:
        return contextlib.nullcontext()
    return torch.autocast(device_type, enabled=False)


def is_traced(x: Any = None) -> bool:
    """Say whether operations are recorded (compile, export, ONNX, jit.trace, fx) and not run.

    A way of evaluation that depends on sizes would be built into what is recorded.
    """
    recorded: Any = torch.jit
    return torch.compiler.is_compiling() or recorded.is_tracing() or isinstance(x, torch.fx.Proxy)


def is_transformed() -> bool:
    """Say whether a functional transform (vmap, grad, jvp) or forward-mode autograd is on."""
    functorch = peek_interpreter_stack() is not None
    return functorch or forward_ad._current_level >= 0


def needs_plain_operations(x: Any = None) -> bool:
    """Say whether only PyTorch's own operations serve, no custom function."""
    return is_traced(x) or is_transformed()


def is_ordinary_on_cpu(x: Tensor, weight: Tensor) -> bool:
    """Say whether maps and weights are tensors of PyTorch's own kind on a processor."""
    return x.device.type == "cpu" and type(x) is Tensor and type(weight) in (Tensor, nn.Parameter)


def as_autocast(out: Tensor) -> Tensor:
    """Return a result in the precision that autocast wants of a convolution."""
    dtype = autocast_dtype(out.device.type)
    return out if dtype is None else out.to(dtype)
