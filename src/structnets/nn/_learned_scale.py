r"""Gaussians and their derivatives as functions of a learned scale, differentiable in it.

A layer learns :math:`\rho` with :math:`\sigma = \sigma_0 \exp(m \tanh(\rho / m))`,
:math:`m = \log` of the factor it may change by: a logarithmic scale near the initial one, from
which it cannot run away, and to which weight decay pulls it back.

The taps are those of `structnets.bases.discretisation`, in PyTorch's operations, and each function
returns their derivatives by the scale beside them: recorded one by one, the sixty small operations
would take longer than the convolution of a small layer. What reads shapes or precision is one call
to `torch.fx`, which knows neither.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
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
from structnets.nn._derivatives import needs_reference, reference_gradients
from structnets.nn._modes import needs_plain_operations

# Beyond this exponent a Gaussian's tail is taken as zero: subnormal numbers are slow.
DEEPEST = -60.0

Rated = tuple[Tensor, Tensor]
"""What a function of scales returns, shape (..., *), and its derivatives, of the same shape."""


@torch.fx.wrap
def learned_sigmas(log_scale: Tensor, sigmas: Sequence[float], factor: float) -> Tensor:
    """Return the scales (..., S) of parameters (..., S), in single precision or better."""
    exact = log_scale.to(_exact(log_scale))
    return of_scales(functools.partial(_bounded, sigmas=sigmas, factor=factor), exact)


def sigmas_and_rates(log_scale: Tensor, sigmas: Sequence[float], factor: float) -> Rated:
    """Return what `learned_sigmas` returns, and its derivatives by the parameters."""
    return _bounded(log_scale.to(_exact(log_scale)), sigmas, factor)


@torch.fx.wrap
def smoothing_taps(sigmas: Tensor, radius: int, kind: str) -> Rated:
    """Return Gaussians of sum 1, shape (..., 2 radius + 1), of scales (...,), and derivatives.

    Gradients follow the Gaussians only.
    """
    return rated(functools.partial(smoothing_and_rates, radius=radius, kind=kind), sigmas)


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
    given = {"order": order, "radius": radius, "discretisation": discretisation, "scaled": scaled}
    return of_scales(functools.partial(profiles_and_rates, **given), sigmas)


def profiles_and_rates(
    sigmas: Tensor, order: int, radius: int, discretisation: Discretisation, scaled: bool
) -> Rated:
    """Return what `derivative_profiles` returns, and its derivatives by the scales."""
    kind = smoothing_kind(discretisation)
    if is_hybrid(discretisation):
        function = _differences_and_rates
    else:
        function = _sampled_and_rates if kind == "sampled" else _integrated_and_rates
    return function(sigmas, order, radius, kind, scaled)


@torch.fx.wrap
def powers(sigmas: Tensor, order: int) -> Tensor:
    """Return the powers 0 to `order` of scales (...,), shape (..., order + 1)."""
    return of_scales(functools.partial(_powers_and_rates, order=order), sigmas)


def of_scales(function: Callable[[Tensor], Rated], sigmas: Tensor) -> Tensor:
    """Return the first that a function of scales returns; backwards the second serves as it is."""
    return rated(function, sigmas)[0]


def rated(function: Callable[[Tensor], Rated], sigmas: Tensor) -> Rated:
    """Return what a function of scales returns; gradients follow the first only."""
    if needs_plain_operations() or not (sigmas.requires_grad and torch.is_grad_enabled()):
        return function(sigmas)
    out, rates = _OfScales.apply(sigmas, function)
    return out, rates


class _OfScales(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, sigmas: Tensor, function: Callable[[Tensor], Rated]) -> Rated:
        out, rates = function(sigmas)
        ctx.save_for_backward(sigmas, rates)
        ctx.mark_non_differentiable(rates)
        ctx.function = function
        return out, rates

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Tensor) -> tuple[Tensor | None, None]:
        sigmas, rates = ctx.saved_tensors
        if needs_reference(gradient):
            (found,) = reference_gradients(lambda s: ctx.function(s)[0], [sigmas], [True], gradient)
            return found, None
        terms = gradient * rates
        return terms if terms.ndim == sigmas.ndim else terms.flatten(sigmas.ndim).sum(-1), None


def smoothing_and_rates(sigmas: Tensor, radius: int, kind: str) -> Rated:
    """Return what `smoothing_taps` returns, and its derivatives by the scales."""
    points, scale = _points(sigmas, radius), sigmas[..., None]
    if kind == "integrated":
        taps, rates = _masses(points, scale)
    else:
        u = points / scale
        taps = _gaussian(u)
        rates = taps * u**2 / scale
    total = taps.sum(-1, keepdim=True)
    taps = taps / total
    return taps, (rates - taps * rates.sum(-1, keepdim=True)) / total


def _bounded(log_scale: Tensor, sigmas: Sequence[float], factor: float) -> Rated:
    most = math.log(factor)
    within = torch.tanh(log_scale / most)
    first = torch.tensor(sigmas, dtype=log_scale.dtype, device=log_scale.device)
    found = first * torch.exp(most * within)
    return found, found * (1 - within**2)


def _powers_and_rates(sigmas: Tensor, order: int) -> Rated:
    n = torch.arange(order + 1, dtype=sigmas.dtype, device=sigmas.device)
    found = sigmas[..., None] ** n
    return found, n * found / sigmas[..., None]


def _differences_and_rates(
    sigmas: Tensor, order: int, radius: int, kind: str, scaled: bool
) -> Rated:
    smoothed = smoothing_and_rates(sigmas, radius - difference_reach(order), kind)
    taps, moved = _differences(torch.stack(smoothed), order).unbind()
    if not scaled:
        return taps, moved
    power, slope = (part[..., None] for part in _powers_and_rates(sigmas, order))
    return taps * power, moved * power + taps * slope


def _sampled_and_rates(sigmas: Tensor, order: int, radius: int, kind: str, scaled: bool) -> Rated:
    gaussian, moved = smoothing_and_rates(sigmas, radius, kind)
    scale = sigmas[..., None]
    u = _points(sigmas, radius) / scale
    hermites = _hermites(order, u)
    taps, rates = [], []
    for n, h in enumerate(hermites):
        taps.append((-1) ** n * h * gaussian)
        below = n * hermites[n - 1] if n else torch.zeros_like(u)
        rates.append((-1) ** n * (h * moved - below * u / scale * gaussian))
    return _unscaled(torch.stack(taps, -2), torch.stack(rates, -2), sigmas, scaled)


def _integrated_and_rates(
    sigmas: Tensor, order: int, radius: int, kind: str, scaled: bool
) -> Rated:
    """Integrate over pixels, so that a derivative is a difference of the one below it."""
    gaussian, moved = smoothing_and_rates(sigmas, radius, kind)
    points, scale = _points(sigmas, radius), sigmas[..., None]
    mass, grown = (0.5 * part.sum(-1, keepdim=True) for part in _masses(points, scale))
    taps, rates = [gaussian], [moved]
    edges = [_derivatives_at((points + shift) / scale, order) for shift in (0.5, -0.5)]
    for n in range(order):
        (high, high_rate), (low, low_rate) = edges[0][n], edges[1][n]
        taps.append((high - low) / mass)
        rates.append(((high_rate - low_rate) / scale - taps[-1] * grown) / mass)
    return _unscaled(torch.stack(taps, -2), torch.stack(rates, -2), sigmas, scaled)


def _derivatives_at(u: Tensor, order: int) -> list[Rated]:
    """Return derivatives of a Gaussian of scale 1 at u = x / sigma, and by log sigma."""
    gaussian = _gaussian(u) / math.sqrt(2 * math.pi)
    found = [(-1) ** n * h * gaussian for n, h in enumerate(_hermites(order, u))]
    return [(found[n], -u * found[n + 1]) for n in range(order)]


def _masses(points: Tensor, scale: Tensor) -> Rated:
    """Return twice the integrals of a Gaussian over pixels, and their derivatives by the scale."""
    near, depth = points.abs() - 0.5, math.sqrt(2) * scale
    taps = torch.erfc(near / depth) - torch.erfc((near + 1) / depth)
    inner, outer = (edge * _gaussian(edge / scale) for edge in (near, near + 1))
    return taps, math.sqrt(2 / math.pi) / scale**2 * (inner - outer)


def _unscaled(taps: Tensor, rates: Tensor, sigmas: Tensor, scaled: bool) -> Rated:
    """Divide scale-normalised derivatives (..., N, K) by sigma^n, if others are wanted."""
    if scaled:
        return taps, rates
    power, slope = (part[..., None] for part in _powers_and_rates(1 / sigmas, taps.shape[-2] - 1))
    return taps * power, rates * power - taps * slope / sigmas[..., None, None] ** 2


def _differences(smoothed: Tensor, order: int) -> Tensor:
    """Return central differences of lines (..., K): (..., order + 1, K + 2 reach)."""
    reach = difference_reach(order)
    taps = torch.tensor(_central_differences(order), dtype=smoothed.dtype, device=smoothed.device)
    windows = functional.pad(smoothed, (2 * reach, 2 * reach)).unfold(-1, 2 * reach + 1, 1)
    return (windows @ taps).mT


@functools.cache
def _central_differences(order: int) -> list[list[float]]:
    """Return the taps (2 reach + 1, order + 1) of every order, as correlations."""
    reach = difference_reach(order)
    along = [central_difference(n)[::-1] for n in range(order + 1)]
    return np.stack([np.pad(taps, reach - len(taps) // 2) for taps in along], 1).tolist()


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
