r"""Gaussians and their derivatives as functions of a learned scale, differentiable in it.

A layer learns :math:`\rho` with :math:`\sigma = \sigma_0 \exp(m \tanh(\rho / m))`,
:math:`m = \log` of the factor it may change by: a logarithmic scale near the initial one, from
which it cannot run away, and to which weight decay pulls it back.

The taps are those of `structnets.bases.discretisation`, in PyTorch's operations. What reads shapes
or precision is one call to `torch.fx`, which knows neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from structnets.bases.discretisation import (
    Discretisation,
    central_difference,
    difference_reach,
    is_hybrid,
    smoothing_kind,
)

# Beyond this exponent a Gaussian's tail is taken as zero: subnormal numbers are slow.
DEEPEST = -60.0


@torch.fx.wrap
def learned_sigmas(log_scale: Tensor, sigmas: Sequence[float], factor: float) -> Tensor:
    """Return the scales (..., S) of parameters (..., S), in single precision or better."""
    most = math.log(factor)
    exact = log_scale.to(_exact(log_scale))
    first = torch.tensor(sigmas, dtype=exact.dtype, device=exact.device)
    return first * torch.exp(most * torch.tanh(exact / most))


@torch.fx.wrap
def smoothing_taps(sigmas: Tensor, radius: int, kind: str) -> Tensor:
    """Return Gaussians of sum 1, shape (..., 2 radius + 1), of scales (...,)."""
    points = _points(sigmas, radius)
    if kind == "integrated":
        near, scale = points.abs() - 0.5, math.sqrt(2) * sigmas[..., None]
        taps = torch.erfc(near / scale) - torch.erfc((near + 1) / scale)
    else:
        taps = _gaussian(points / sigmas[..., None])
    return taps / taps.sum(-1, keepdim=True)


def smoothing_rates(sigmas: Tensor, radius: int, kind: str) -> Tensor:
    """Return the derivatives of `smoothing_taps` by the scales, of the same shape."""
    points, scale = _points(sigmas, radius), sigmas[..., None]
    if kind == "integrated":
        near, depth = points.abs() - 0.5, math.sqrt(2) * scale
        taps = torch.erfc(near / depth) - torch.erfc((near + 1) / depth)
        ends = [edge * _gaussian(edge / scale) for edge in (near, near + 1)]
        rates = math.sqrt(2 / math.pi) / scale**2 * (ends[0] - ends[1])
    else:
        taps = _gaussian(points / scale)
        rates = taps * points**2 / scale**3
    total = taps.sum(-1, keepdim=True)
    return (rates - taps * (rates.sum(-1, keepdim=True) / total)) / total


@torch.fx.wrap
def derivative_profiles(
    sigmas: Tensor, order: int, radius: int, discretisation: Discretisation, scaled: bool
) -> Tensor:
    """Return the derivatives of order 0 to `order`, shape (..., order + 1, 2 radius + 1).

    Parameters
    ----------
    sigmas : Tensor, shape (...,)
        Scales.
    order, radius : int
        Highest order, and half the support.
    discretisation : str
        One of `structnets.bases.discretisation.DISCRETISATIONS`.
    scaled : bool
        Multiply by sigma^n.
    """
    kind = smoothing_kind(discretisation)
    if is_hybrid(discretisation):
        smoothed = smoothing_taps(sigmas, radius - difference_reach(order), kind)
        taps = [_differences(smoothed, n, radius) for n in range(order + 1)]
        powers = [n if scaled else 0 for n in range(order + 1)]
    elif kind == "sampled":
        u = _points(sigmas, radius) / sigmas[..., None]
        gaussian = smoothing_taps(sigmas, radius, kind)
        taps = [(-1) ** n * h * gaussian for n, h in enumerate(_hermites(order, u))]
        powers = [0 if scaled else -n for n in range(order + 1)]
    else:
        taps = [smoothing_taps(sigmas, radius, kind), *_integrals(sigmas, order, radius)]
        powers = [0 if scaled else -n for n in range(order + 1)]
    return torch.stack(
        [t * sigmas[..., None] ** p if p else t for t, p in zip(taps, powers, strict=True)], -2
    )


def _integrals(sigmas: Tensor, order: int, radius: int) -> list[Tensor]:
    """Return sigma^n times the integrals over pixels of the derivatives from the first on."""
    points, scale = _points(sigmas, radius), sigmas[..., None]
    near = points.abs() - 0.5
    tails = torch.erfc(near / (math.sqrt(2) * scale)) - torch.erfc(
        (near + 1) / (math.sqrt(2) * scale)
    )
    mass = 0.5 * tails.sum(-1, keepdim=True)
    edges = []
    for shift in (0.5, -0.5):
        u = (points + shift) / scale
        gaussian = _gaussian(u) / math.sqrt(2 * math.pi)
        edges.append([(-1) ** n * h * gaussian for n, h in enumerate(_hermites(order, u))])
    return [(edges[0][n] - edges[1][n]) / mass for n in range(order)]


def _differences(smoothed: Tensor, order: int, radius: int) -> Tensor:
    """Return central differences of Gaussians (..., 2 r + 1), on 2 radius + 1 places."""
    taps = central_difference(order).tolist()
    room = 2 * radius + 1 - smoothed.shape[-1]
    first = room // 2 - len(taps) // 2
    shifted = [
        tap * functional.pad(smoothed, (first + i, room - first - i))
        for i, tap in enumerate(taps)
        if tap
    ]
    return torch.stack(shifted).sum(0)


def _hermites(order: int, u: Tensor) -> list[Tensor]:
    """Return the probabilists' Hermite polynomials of degree 0 to `order`."""
    found = [torch.ones_like(u), u]
    for n in range(1, order):
        found.append(u * found[-1] - n * found[-2])
    return found[: order + 1]


def _gaussian(u: Tensor) -> Tensor:
    exponent = -0.5 * u**2
    return torch.exp(exponent).masked_fill(exponent < DEEPEST, 0.0)


def _points(sigmas: Tensor, radius: int) -> Tensor:
    return torch.arange(-radius, radius + 1, dtype=sigmas.dtype, device=sigmas.device)


def _exact(parameter: Tensor) -> torch.dtype:
    return torch.promote_types(parameter.dtype, torch.float32)
