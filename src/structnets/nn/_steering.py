"""Steer feature maps: change the pose of filters after the convolution, pixel by pixel (Eq. 25).

Legend: B batch, P poses, C channels, S scales, M atoms, Y X map size. Channels fall into P groups
of C / P neighbours that share a pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from structnets.nn._derivatives import is_batched
from structnets.nn._modes import needs_plain_operations


def rotate_maps(maps: Tensor, angle: Tensor, frequencies: Sequence[int]) -> Tensor:
    """Turn the filters behind feature maps by an angle per pixel.

    Parameters
    ----------
    maps : Tensor, shape (B, C, M, Y, X)
        Responses to circular atoms (`structnets.bases.steering.CircularBasis`).
    angle : Tensor, shape (B, P, Y, X)
        Radians; x towards y is positive.
    frequencies : sequence of int
        Of the atoms: zeros first, then each positive one twice (real and imaginary part), in
        ascending order.

    Returns
    -------
    Tensor
        Responses to the turned atoms, of the shape of the maps.
    """
    if angle.shape[2:] != maps.shape[3:] or len(frequencies) != maps.shape[2]:
        raise ValueError(
            f"maps {tuple(maps.shape)} of {len(frequencies)} atoms do not fit angles "
            f"{tuple(angle.shape)}"
        )
    _by_pose(maps, angle)  # checks that channels share poses evenly
    if needs_plain_operations(maps):
        return _turned(maps, angle, tuple(frequencies))
    return _Rotation.apply(maps, angle, tuple(frequencies))


class _Rotation(torch.autograd.Function):
    """Rotation with two passes per map and little memory: the backward pass needs no input.

    With z the pair (re, im), turning is ``z' = exp(-i k angle) z``. So the maps' gradient is the
    output's turned back, and the angle's is the sum of ``k (g_re im' - g_im re')``.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, angle: Tensor, frequencies: tuple[int, ...]) -> Tensor:
        turned = _turn(maps, angle, frequencies, 1.0)
        ctx.save_for_backward(turned, angle)
        ctx.frequencies = frequencies
        return turned

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        if is_batched(gradient):
            raise RuntimeError(
                "the maps of a dynamic steerable block take no batched gradients "
                "(is_grads_batched, vectorize, vmap of autograd.grad): use torch.func, "
                "as in vmap(vjp(block, x)[1])"
            )
        turned, angle = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *_differentiable_gradients(ctx, turned, angle, gradient), None
        of_maps = of_angle = None
        if ctx.needs_input_grad[0]:
            of_maps = _turn(gradient, angle, ctx.frequencies, -1.0)
        if ctx.needs_input_grad[1]:
            pairs, g = _by_pose(turned, angle), _by_pose(gradient, angle)
            of_angle = torch.zeros_like(angle)
            for m in range(_still(ctx.frequencies), len(ctx.frequencies), 2):
                product = g[:, :, :, m] * pairs[:, :, :, m + 1]
                product.addcmul_(g[:, :, :, m + 1], pairs[:, :, :, m], value=-1)
                of_angle.add_(product.sum(2), alpha=ctx.frequencies[m])
        return of_maps, of_angle, None


def _differentiable_gradients(
    ctx: Any, turned: Tensor, angle: Tensor, gradient: Tensor
) -> tuple[Tensor | None, Tensor | None]:
    """Return the gradients as functions of the maps, turned back, that autograd knows."""
    frequencies: tuple[int, ...] = ctx.frequencies
    of_maps = of_angle = None
    if ctx.needs_input_grad[0]:
        of_maps = _turned(gradient, -angle, frequencies)
    if ctx.needs_input_grad[1]:
        pairs, g = _by_pose(turned, angle), _by_pose(gradient, angle)
        of_angle = torch.zeros_like(angle)
        for m in range(_still(frequencies), len(frequencies), 2):
            product = g[:, :, :, m] * pairs[:, :, :, m + 1] - g[:, :, :, m + 1] * pairs[:, :, :, m]
            of_angle = of_angle + frequencies[m] * product.sum(2)
    return of_maps, of_angle


def _turned(maps: Tensor, angle: Tensor, frequencies: tuple[int, ...]) -> Tensor:
    """Multiply every pair of maps by exp(-i k angle), by operations that autograd knows."""
    source, still = _by_pose(maps, angle), _still(frequencies)
    parts = list(source[:, :, :, :still].unbind(3))
    for m in range(still, len(frequencies), 2):
        turn = frequencies[m] * angle[:, :, None]
        c, s = torch.cos(turn), torch.sin(turn)
        re, im = source[:, :, :, m], source[:, :, :, m + 1]
        parts += [re * c + im * s, im * c - re * s]
    return torch.stack(parts, 3).flatten(1, 2)


def _turn(maps: Tensor, angle: Tensor, frequencies: tuple[int, ...], sign: float) -> Tensor:
    """Multiply every pair of maps by exp(-i sign k angle)."""
    out = torch.empty(maps.shape, dtype=maps.dtype, device=maps.device)
    source, target, still = _by_pose(maps, angle), _by_pose(out, angle), _still(frequencies)
    target[:, :, :, :still] = source[:, :, :, :still]
    c1, s1 = torch.cos(angle)[:, :, None], torch.sin(angle)[:, :, None].mul_(sign)
    k, c, s = 1, c1, s1
    for m in range(still, len(frequencies), 2):
        while k < frequencies[m]:  # the addition theorem
            k, c, s = k + 1, torch.addcmul(c * c1, s, s1, value=-1), torch.addcmul(s * c1, c, s1)
        re, im = source[:, :, :, m], source[:, :, :, m + 1]
        torch.mul(re, c, out=target[:, :, :, m]).addcmul_(im, s)
        torch.mul(im, c, out=target[:, :, :, m + 1]).addcmul_(re, s, value=-1)
    return out


def pair_energies(maps: Tensor, frequencies: Sequence[int]) -> Tensor:
    """Return what no rotation changes: the squared length of every pair (re, im).

    Parameters
    ----------
    maps : Tensor, shape (B, C, M, Y, X)
        Responses to circular atoms.
    frequencies : sequence of int
        Of the atoms, see `rotate_maps`.

    Returns
    -------
    Tensor, shape (B, C, pairs, Y, X)
    """
    return _pairs(maps, frequencies).square().sum(3)


def polar_maps(maps: Tensor, frequencies: Sequence[int], floor: float = 1e-2) -> Tensor:
    """Return every pair (re, im) in polar form, without the sign: what a half turn leaves alone.

    Parameters
    ----------
    maps, frequencies
        As in `pair_energies`.
    floor : float
        Added to energies, so that small pairs have a bounded logarithm and no angle.

    Returns
    -------
    Tensor, shape (B, C, 3 pairs, Y, X)
        Logarithms of the energies, then cosines, then sines of twice the angles.
    """
    re, im = _pairs(maps, frequencies).unbind(3)
    energy = pair_energies(maps, frequencies) + floor
    doubled = (re.square() - im.square()) / energy, 2 * re * im / energy
    return torch.cat([torch.log(energy), *doubled], 2)


def _pairs(maps: Tensor, frequencies: Sequence[int]) -> Tensor:
    """View the atoms that turn, of maps (B, C, M, Y, X), as pairs (B, C, pairs, 2, Y, X)."""
    return maps[:, :, _still(tuple(frequencies)) :].unflatten(2, (-1, 2))


def _still(frequencies: tuple[int, ...]) -> int:
    """Count the atoms that a rotation leaves alone."""
    return sum(k == 0 for k in frequencies)


def interpolate_scales(
    maps: Sequence[Tensor], sigma: Tensor, log_sigmas: Sequence[float]
) -> Tensor:
    """Interpolate responses at a few scales to a scale per pixel.

    Parameters
    ----------
    maps : sequence of Tensor, each (B, C, M, Y, X)
        Responses to scale-normalised atoms at every node.
    sigma : Tensor, shape (B, P, Y, X)
        Wanted scales in pixels.
    log_sigmas : sequence of float
        Of `structnets.bases.dilation.ScaleNodes`, whose weights and errors apply.

    Returns
    -------
    Tensor, shape (B, C, M, Y, X)
        Interpolated responses.
    """
    if not maps or len(maps) != len(log_sigmas):
        raise ValueError(f"{len(log_sigmas)} nodes need as many maps, got {len(maps)}")
    t = torch.log(sigma)
    total = maps[0].new_zeros(())
    for node, responses in zip(log_sigmas, maps, strict=True):
        weight = torch.ones_like(t)
        for other in log_sigmas:
            if other != node:
                weight = weight * ((t - other) / (node - other))
        weight, grouped = weight[:, :, None, None], _by_pose(responses, sigma)
        total = torch.addcmul(total, weight, grouped)
    return total.flatten(1, 2)


def _by_pose(maps: Tensor, pose: Tensor) -> Tensor:
    """View maps (B, C, ...) as (B, P, C / P, ...)."""
    poses, channels = pose.shape[1], maps.shape[1]
    if channels % poses:
        raise ValueError(f"{channels} channels cannot share {poses} poses evenly")
    return maps.unflatten(1, (poses, channels // poses))
