"""Filter volumes and mix the maps; large maps are computed again in the backward pass.

Two orders of the same linear steps, `VolumeGrid` being the filters:

``leaves``  filter along z, y and x, then mix C N maps; for few input channels
``pairs``   filter along z and y, mix the pairs' maps once per profile along x, then filter the
            O outputs along x and sum; spares most of the last passes for many input channels

Large maps exist for one volume and a few channels at a time, so that memory is that of the input
and the output; small ones are kept. Nothing but the passes is computed twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from structnets.nn.volume_grid import Triple, VolumeGrid, filter_leading, unfilter_trailing

# Numbers that the maps of one chunk of channels may hold (256 MB in float32).
CHUNK_NUMBERS = 2**26
# Maps of a whole batch that hold fewer numbers are kept for the backward pass.
KEPT_NUMBERS = 2**26


def mixes_pairs(inputs: int, outputs: int, atoms: int, profiles: int) -> bool:
    """Say whether mixing before the last pass takes fewer products."""
    return outputs * profiles < inputs * atoms


class FilterAndMix(torch.autograd.Function):
    """``out[b, o] = sum_i sum_n alpha[o, i, n] (phi_n * x[b, i])`` on volumes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, alpha: Tensor, grids: Sequence[VolumeGrid], size: Triple, early: bool
    ) -> Tensor:
        """Filter and mix volumes (B, C, D, H, W) by alphas (O, C, N): (B, O, *size)."""
        ctx.save_for_backward(x, alpha)
        ctx.grids, ctx.early, ctx.kept = grids, early, []
        keep = ctx.needs_input_grad[1] and _map_numbers(x, grids, early) <= KEPT_NUMBERS
        out = x.new_zeros(len(x), alpha.shape[0], *size)
        mix = _mix_pairs if early else _mix_leaves
        for grid in grids:
            for b, channels in _chunks(x, grid):
                maps = _filtered(x[b, channels], grid, early)
                out[b] += grid.lift(mix(maps, alpha[:, channels], grid)).view_as(out[b])
                if keep:
                    ctx.kept.append(maps)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the volumes and of the alphas, where wanted."""
        x, alpha = ctx.saved_tensors
        grad_alpha = torch.zeros_like(alpha) if ctx.needs_input_grad[1] else None
        grad_x = torch.zeros_like(x) if ctx.needs_input_grad[0] else None
        unmix = _unmix_pairs if ctx.early else _unmix_leaves
        kept = iter(ctx.kept)
        with torch.autocast(x.device.type, enabled=False):
            for grid in ctx.grids:
                for b, channels in _chunks(x, grid):
                    below = grid.unlift(grad[b].flatten(1))
                    share = maps = None
                    if grad_alpha is not None:
                        share = grad_alpha[:, channels]
                        maps = next(kept, None)
                        if maps is None:
                            maps = _filtered(x[b, channels], grid, ctx.early)
                    spread = unmix(below, maps, alpha[:, channels], grid, share, grad_x is not None)
                    if grad_x is not None:
                        grad_x[b, channels] += grid.unpairs(spread, x.shape[2:])
        return grad_x, grad_alpha, None, None, None


def mixing_matrix(alpha: Tensor, atoms: Sequence[int]) -> Tensor:
    """Return alphas (O, C, N) of some atoms as a matrix (O, N C)."""
    return alpha[:, :, list(atoms)].transpose(1, 2).flatten(1)


def _chunks(x: Tensor, grid: VolumeGrid) -> Iterator[tuple[int, slice]]:
    """Go through the batch and through ranges of channels whose maps fit `CHUNK_NUMBERS`."""
    size = len(grid.atoms) * math.prod(x.shape[2:])
    step = max(1, CHUNK_NUMBERS // size)
    for b in range(len(x)):
        for start in range(0, x.shape[1], step):
            yield b, slice(start, start + step)


def _map_numbers(x: Tensor, grids: Sequence[VolumeGrid], early: bool) -> int:
    """Count the numbers of all filtered maps of a batch (at most: grids may be smaller)."""
    maps = sum(len(grid.tree.pairs if early else grid.atoms) for grid in grids)
    return maps * x.numel()


def _filtered(x: Tensor, grid: VolumeGrid, early: bool) -> Tensor:
    """Return what is mixed: pairs' maps (K, C, W, D' H'), or atoms' (N, C, V)."""
    pairs = grid.pairs(x)
    return pairs if early else grid.leaves(pairs)


def _mix_leaves(maps: Tensor, alpha: Tensor, grid: VolumeGrid) -> Tensor:
    return mixing_matrix(alpha, grid.order) @ maps.flatten(0, 1)


def _unmix_leaves(
    grad: Tensor,
    maps: Tensor | None,
    alpha: Tensor,
    grid: VolumeGrid,
    grad_alpha: Tensor | None,
    spread: bool,
) -> Tensor:
    inputs = alpha.shape[1]
    if maps is not None and grad_alpha is not None:
        found = grad @ maps.flatten(0, 1).T
        _add_at(grad_alpha, grid.order, found)
    if not spread:
        return grad
    spread_maps = mixing_matrix(alpha, grid.order).T @ grad
    return grid.unleaves(spread_maps.view(-1, inputs, grad.shape[1]))


def _mix_pairs(pairs: Tensor, alpha: Tensor, grid: VolumeGrid) -> Tensor:
    outputs, width = alpha.shape[0], pairs.shape[2]
    total: Tensor | None = None
    for last in grid.tree.lasts:
        mixing = mixing_matrix(alpha, [grid.atoms[n] for n in last.atoms])
        mixed = mixing @ pairs[last.start : last.stop].reshape(mixing.shape[1], -1)
        lines = filter_leading(mixed.view(outputs, width, -1), grid.bands[2][last.profile])
        total = lines if total is None else total.add_(lines)
    assert total is not None
    return total.flatten(1)


def _unmix_pairs(
    grad: Tensor,
    maps: Tensor | None,
    alpha: Tensor,
    grid: VolumeGrid,
    grad_alpha: Tensor | None,
    spread: bool,
) -> Tensor:
    outputs, inputs = alpha.shape[:2]
    wide, width = grid.bands[2].shape[1:]
    lines = grad.view(outputs, -1, wide)
    rows = width * lines.shape[1]
    result = grad.new_zeros(len(grid.tree.pairs) if spread else 0, inputs, width, lines.shape[1])
    for last in grid.tree.lasts:
        atoms = [grid.atoms[n] for n in last.atoms]
        below = unfilter_trailing(lines, grid.bands[2][last.profile]).reshape(outputs, rows)
        if maps is not None and grad_alpha is not None:
            found = below @ maps[last.start : last.stop].reshape(-1, rows).T
            _add_at(grad_alpha, atoms, found)
        if spread:
            part = result[last.start : last.stop].view(-1, rows)
            part.addmm_(mixing_matrix(alpha, atoms).T, below)
    return result


def _add_at(grad_alpha: Tensor, atoms: Sequence[int], found: Tensor) -> None:
    """Add gradients (O, N C) of some atoms to those of all, (O, C, N)."""
    outputs, inputs = grad_alpha.shape[:2]
    grad_alpha[:, :, list(atoms)] += found.view(outputs, len(atoms), inputs).transpose(1, 2)
