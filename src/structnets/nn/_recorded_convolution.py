"""Convolutions, called a second time with the narrow outputs of the first call.

The output of a layer that leaves a quarter of the channels costs what a wide one's does to compute,
and a quarter to keep. Whoever is to repeat a call can keep it, and differentiate the convolution
without computing it again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from structnets.nn._replaced_forward import Context, forward_replaced, saved_tensors_are_watched

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
# Of convolutions, the outputs of all their calls, in order; None if one was not kept.
Outputs = Mapping[Any, Sequence[Tensor | None]]


class _GivenOutput(torch.autograd.Function):
    """A convolution whose output is there, differentiated as if it had computed it itself."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, out: Tensor, layer: Any
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.bias_sizes = None if bias is None else list(bias.shape)
        ctx.options = layer.stride, layer.padding, layer.dilation, layer.groups
        return out.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding, dilation, groups = ctx.options
        found = torch.ops.aten.convolution_backward(
            grad, x, weight, ctx.bias_sizes, stride, padding, dilation, False,
            [0] * len(stride), groups, ctx.needs_input_grad[:3],
        )  # fmt: skip
        return *found, None, None


class NarrowOutputs:
    """What convolutions among some parts return, if it has at most `most` numbers."""

    def __init__(self, parts: Iterable[nn.Module], most: int) -> None:
        layers: list[Any] = [p for p in parts if type(p) in _CONVOLUTIONS and _is_plain(p)]
        self.most = most
        self._found: dict[Any, list[tuple[Tensor, int] | None]] = {one: [] for one in layers}

    def kept(self) -> Context:
        """Keep the outputs of the calls in this context."""
        return forward_replaced({layer: partial(self._call, layer) for layer in self._found})

    def _call(self, layer: Any, x: Tensor) -> Tensor:
        out = type(layer).forward(layer, x)
        narrow = out.numel() <= self.most and x.dim() == layer.weight.dim()
        exact = x.dtype == layer.weight.dtype == out.dtype  # not so under autocast
        self._found[layer].append((out, out._version) if narrow and exact else None)
        return out

    def outputs(self) -> dict[Any, list[Tensor | None]]:
        """Return what was kept and not overwritten by a function that works in place."""
        return {
            layer: [one[0] if one and one[0]._version == one[1] else None for one in of]
            for layer, of in self._found.items()
            if any(of)
        }


def _is_plain(layer: Any) -> bool:
    zeros = layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return zeros and "forward" not in vars(layer)


def flat(outputs: Outputs) -> list[Tensor | None]:
    """Return the outputs of all layers in one list."""
    return [one for of in outputs.values() for one in of]


def refilled(calls: Mapping[Any, int], values: Iterable[Tensor | None]) -> Outputs:
    """Part such a list among layers again, by the number of calls of each."""
    rest = iter(values)
    return {layer: list(itertools.islice(rest, count)) for layer, count in calls.items()}


def outputs_repeated(outputs: Outputs) -> Context:
    """Let convolutions return what was kept, call by call, instead of computing it."""
    return forward_replaced({one: partial(_repeat, one, iter(of)) for one, of in outputs.items()})


def _repeat(layer: Any, kept: Iterator[Tensor | None], x: Tensor) -> Tensor:
    out = next(kept, None)
    if out is None or saved_tensors_are_watched():
        return type(layer).forward(layer, x)
    found: Tensor = _GivenOutput.apply(x, layer.weight, layer.bias, out, layer)
    return found
