"""Filters composed of weights and of atoms whose scales are learned, as one operation.

Recorded one by one, what makes the atoms and mixes them would take longer backwards than the
convolution of a small layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._derivatives import needs_reference, reference_gradients
from structnets.nn._learned_scale import Rated

AtomsOf = Callable[[Tensor], Rated]
"""From parameters of scales (S,), atoms (N, K, L), and what they grow by with their own scale's."""


def learned_filters(
    alpha: Tensor, log_scale: Tensor, atoms_of: AtomsOf, scale_of: tuple[int, ...]
) -> Tensor:
    """Mix atoms by weights (O, I, N): filters (O, I, K, L).

    Parameters
    ----------
    alpha, log_scale : Tensor
        Weights, and the parameters of the scales.
    atoms_of : callable
        Makes the atoms.
    scale_of : tuple of int
        Every atom's scale.
    """
    out = _LearnedFilters.apply(alpha, log_scale, atoms_of, scale_of)
    assert isinstance(out, Tensor)
    return out


def outer_products(along_y: Rated, along_x: Rated, factors: tuple[Pair, ...]) -> Rated:
    """Return the atoms (N, K, L) of profiles (P, K) and (P, L), each of a pair of them."""
    y, x = (list(column) for column in zip(*factors, strict=True))
    taps_y, rates_y = (part[y, :, None] for part in along_y)
    taps_x, rates_x = (part[x, None] for part in along_x)
    return taps_y * taps_x, rates_y * taps_x + taps_y * rates_x


def mixed(alpha: Tensor, atoms: Tensor) -> Tensor:
    """Mix atoms (N, K, L) by weights (O, I, N), in operations that are recorded."""
    return (alpha @ atoms.flatten(1)).unflatten(2, atoms.shape[1:])


class _LearnedFilters(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, alpha: Tensor, log_scale: Tensor, atoms_of: AtomsOf, scale_of: tuple[int, ...]
    ) -> Tensor:
        atoms, rates = atoms_of(log_scale)
        ctx.save_for_backward(alpha, log_scale, atoms, rates)
        ctx.atoms_of, ctx.scale_of = atoms_of, scale_of
        return mixed(alpha, atoms)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        alpha, log_scale, atoms, rates = ctx.saved_tensors
        want_alpha, want_scale, *_ = ctx.needs_input_grad
        if needs_reference(gradient):
            found = reference_gradients(
                lambda alpha, log_scale: mixed(alpha, ctx.atoms_of(log_scale)[0]),
                (alpha, log_scale),
                (want_alpha, want_scale),
                gradient,
            )
            return *found, None, None
        taps = gradient.flatten(2)
        of_alpha = taps @ atoms.flatten(1).t() if want_alpha else None
        of_scale = None
        if want_scale:
            of_atoms = (alpha * (taps @ rates.flatten(1).t())).sum((0, 1)).to(log_scale.dtype)
            scales = torch.tensor(ctx.scale_of, device=log_scale.device)
            of_scale = torch.zeros_like(log_scale).index_add_(0, scales, of_atoms)
        return of_alpha, of_scale, None, None
