"""Batch norm, called a second time with the statistics of the first call.

On a CPU the pass over the batch by which PyTorch finds mean and deviation takes five times as long
as the one that uses them. They are a few numbers per channel: whoever is to repeat a call can keep
them. And they are found sooner by three passes that the compiler could vectorise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from structnets.nn._replaced_forward import Context, forward_replaced, saved_tensors_are_watched

# Mean and inverse deviation (2, C) of one call; None if the call was left to PyTorch.
Statistics = Tensor | None
# Least share of the mean square for a variance that is found as the mean square less the squared
# mean: a good digit is lost of seven.
_LEAST_SHARE = 1 / 17
# Of norms, those of all their calls, in order.
Noted = Mapping[Any, list[Statistics]]


class Packed(NamedTuple):
    """Noted statistics in one tensor: in one for each call they take four times the memory.

    Attributes
    ----------
    norms : tuple of nn.Module
        One for each call.
    channels : tuple of int
        C of each call.
    values : Tensor
        The statistics of the calls (2, sum of C), side by side.
    """

    norms: tuple[Any, ...]
    channels: tuple[int, ...]
    values: Tensor


def pack(noted: Noted) -> Packed | None:
    """Pack the statistics of the norms that noted all their calls, in one precision."""
    norms: list[Any] = []
    values: list[Tensor] = []
    for norm, of in noted.items():
        dtype = values[0].dtype if values else None
        noted_all = [one for one in of if one is not None and one.dtype == (dtype or one.dtype)]
        if len(noted_all) == len(of):
            norms += [norm] * len(of)
            values += noted_all
    if not values:
        return None
    channels = tuple(one.shape[1] for one in values)
    return Packed(tuple(norms), channels, torch.cat(values, 1))


def unpack(packed: Packed | None) -> Noted:
    """Return the packed statistics of every norm."""
    noted: dict[Any, list[Statistics]] = {}
    if packed is not None:
        parts = packed.values.split(packed.channels, 1)
        for norm, part in zip(packed.norms, parts, strict=True):
            noted.setdefault(norm, []).append(part)
    return noted


class _Normalize(torch.autograd.Function):
    """Batch norm with given statistics, differentiated as if it had found them itself."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        inverse_deviation: Tensor,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, inverse_deviation)
        ctx.eps = eps
        return _normalize(x, weight, bias, mean, inverse_deviation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, inverse_deviation = ctx.saved_tensors
        found = torch.ops.aten.native_batch_norm_backward(
            grad, x, weight, None, None, mean, inverse_deviation, True, ctx.eps,
            ctx.needs_input_grad[:3],
        )  # fmt: skip
        return *found, None, None, None


def _normalize(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor, inverse_deviation: Tensor
) -> Tensor:
    # The kernel that uses running statistics, with a unit variance and the scale that the
    # one for training forms of weight and deviation: both give the same bits.
    scale = inverse_deviation if weight is None else inverse_deviation * weight
    unit = torch.ones_like(mean)
    return torch.native_batch_norm(x, scale, bias, mean, unit, False, 0.0, 0.0)[0]


def statistics_noted(noted: Noted) -> Context:
    """Let batch norms note the statistics they find.

    Parameters
    ----------
    noted : mapping of nn.Module to list
        Norms in training mode, which update their running statistics as always; the statistics
        of their calls are appended.
    """
    return forward_replaced({norm: partial(_find, norm, into) for norm, into in noted.items()})


def statistics_repeated(noted: Noted) -> Context:
    """Let batch norms use noted statistics, call by call, instead of finding them."""
    return forward_replaced({norm: partial(_repeat, norm, iter(of)) for norm, of in noted.items()})


def _find(norm: Any, noted: list[Statistics], x: Tensor) -> Tensor:
    """Call a norm (`torch.nn.modules.batchnorm._BatchNorm.forward`) and note its statistics."""
    single = x.dim() > 1 and x.numel() == x.shape[1]  # an error, which PyTorch words
    if x.device.type != "cpu" or single or torch.compiler.is_compiling():
        noted.append(None)
        return type(norm).forward(norm, x)
    norm._check_input_dim(x)
    factor, mean, variance = norm.momentum or 0.0, None, None
    if norm.track_running_stats:
        mean, variance = norm.running_mean, norm.running_var
        norm.num_batches_tracked.add_(1)
        if norm.momentum is None:
            factor = 1 / float(norm.num_batches_tracked)
    # In lower precision the scale would be rounded, where the kernel keeps it in single.
    exact = x.dtype in (torch.float32, torch.float64)
    if exact and x.dim() > 2 and x.is_contiguous() and not torch.is_grad_enabled():
        found = _statistics(x, norm.eps, factor, mean, variance)
        noted.append(found)
        return _normalize(x, norm.weight, norm.bias, *found.unbind())
    out, *found = torch.native_batch_norm(
        x, norm.weight, norm.bias, mean, variance, True, factor, norm.eps
    )
    noted.append(torch.stack(found) if exact else None)
    return out


def _statistics(
    x: Tensor, eps: float, factor: float, running_mean: Tensor | None, running_variance: Any
) -> Tensor:
    """Find mean and inverse deviation of contiguous maps, and update the running ones."""
    statistics = x.new_empty(2, x.shape[1])
    mean, inverse_deviation = statistics.unbind()
    maps = x.flatten(2)
    count = maps.shape[0] * maps.shape[2]
    torch.mean(maps, (0, 2), out=mean)
    mean_square = torch.linalg.vector_norm(maps, dim=2).square_().sum(0).div_(count)
    variance = torch.addcmul(mean_square, mean, mean, value=-1)
    if not (variance / mean_square).min().item() >= _LEAST_SHARE:  # constant maps and NaN, too
        centred = maps - mean[:, None]
        variance = torch.linalg.vector_norm(centred, dim=2).square_().sum(0).div_(count)
    if running_mean is not None:
        running_mean.lerp_(mean, factor)
        running_variance.lerp_(variance * (count / (count - 1)), factor)
    torch.rsqrt(variance.add_(eps), out=inverse_deviation)
    return statistics


def _repeat(norm: Any, noted: Iterator[Statistics], x: Tensor) -> Tensor:
    statistics = next(noted, None)
    if statistics is None:
        return type(norm).forward(norm, x)
    if saved_tensors_are_watched():
        mean, variance = (
            None if t is None else t.clone() for t in (norm.running_mean, norm.running_var)
        )
        return functional.batch_norm(x, mean, variance, norm.weight, norm.bias, True, 0.0, norm.eps)
    return _Normalize.apply(x, norm.weight, norm.bias, *statistics.unbind(), norm.eps)
