"""Filter volumes and mix the maps; large maps are computed again in the backward pass.

Two orders of the same linear steps, `VolumeGrid` being the filters:

``leaves``  filter along z, y and x, then mix C N maps; for few input channels
``pairs``   filter along z and y, mix the pairs' maps once per profile along x, then filter the
            O outputs along x and sum; spares most of the last passes for many input channels

Filtered maps exist for one volume and a few of its channels (leaves) or columns along x (pairs,
whose first passes and mixing take each column by itself) at a time, so that memory is that of the
input and the output, and on a processor the pairs' maps stay in its caches; small ones are kept.
Nothing but the passes is computed twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from structnets.nn._derivatives import (
    differentiable_once,
    is_batched,
    needs_reference,
    reference_gradients,
)
from structnets.nn._modes import without_autocast
from structnets.nn._separable_volumes import SeparableVolumes, filter_and_mix
from structnets.nn._volume_grid import Triple, VolumeGrid, filter_leading, unfilter_trailing

# Numbers that the maps of one chunk may hold (256 MB in float32), and on a processor those of a
# chunk of columns (4 MB).
CHUNK_NUMBERS = 2**26
CACHED_NUMBERS = 2**20
# Maps of a whole batch that hold fewer numbers are kept for the backward pass.
KEPT_NUMBERS = 2**26


def mixes_pairs(inputs: int, outputs: int, atoms: int, profiles: int) -> bool:
    """Say whether mixing before the last pass takes fewer products."""
    return outputs * profiles < inputs * atoms


class FilterAndMix(torch.autograd.Function):
    """``out[b, o] = sum_i sum_n alpha[o, i, n] (phi_n * x[b, i])`` on volumes."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        alpha: Tensor,
        grids: Sequence[VolumeGrid],
        size: Triple,
        early: bool,
        separable: SeparableVolumes | None,
    ) -> Tensor:
        """Filter and mix volumes (B, C, D, H, W) by alphas (O, C, N): (B, O, *size).

        What `separable` describes, if it is given, serves second derivatives.
        """
        ctx.save_for_backward(x, alpha)
        ctx.grids, ctx.early, ctx.kept, ctx.separable = grids, early, [], separable
        keep = ctx.needs_input_grad[1] and _map_numbers(x, grids, early) <= KEPT_NUMBERS
        # Memory is written, not cleared and added to: the system gives every new page slowly.
        out = x.new_empty(len(x), alpha.shape[0], *size)
        mix = _mix_pairs if early else _mix_leaves
        for number, grid in enumerate(grids):
            for one, answer in zip(x, out.flatten(2), strict=True):
                at_once = number == 0 and grid.lifts is None
                into = answer if at_once else x.new_empty(len(alpha), math.prod(grid.size))
                mixed = mix(one, alpha, grid, ctx.kept if keep else None, into)
                if not at_once:
                    _Summed(answer, first=number == 0).add(..., grid.lift(mixed))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the volumes and of the alphas, where wanted."""
        if is_batched(grad) and ctx.separable is None:
            raise RuntimeError(
                "a GaussianConv3d with coarse takes no batched gradients (is_grads_batched, "
                "vectorize, vmap): use coarse=None"
            )
        again = needs_reference(grad) and ctx.separable is not None
        found = (_differentiable_gradients if again else _gradients)(ctx, grad)
        return *found, None, None, None, None


def _differentiable_gradients(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    def reference(x: Tensor, alpha: Tensor) -> Tensor:
        return filter_and_mix(x, alpha, ctx.separable)

    return reference_gradients(reference, ctx.saved_tensors, ctx.needs_input_grad[:2], grad)


@differentiable_once("a GaussianConv3d with coarse has first derivatives only; use coarse=None")
def _gradients(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    x, alpha = ctx.saved_tensors
    grad_alpha = torch.zeros_like(alpha) if ctx.needs_input_grad[1] else None
    grad_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
    unmix = _unmix_pairs if ctx.early else _unmix_leaves
    kept = iter(ctx.kept)
    with without_autocast(x.device.type):
        for number, grid in enumerate(ctx.grids):
            for b, one in enumerate(x):
                below = grid.unlift(grad[b].flatten(1))
                into = None if grad_x is None else _Summed(grad_x[b], first=number == 0)
                unmix(below, one, alpha, grid, kept, grad_alpha, into)
    return grad_x, grad_alpha


class _Summed:
    """What grids add up to: the first writes, the others add."""

    def __init__(self, total: Tensor, first: bool) -> None:
        self.total, self.first = total, first

    def add(self, place: Any, part: Tensor) -> None:
        """Add the part at a place, each place once a grid."""
        if self.first:
            self.total[place] = part
        else:
            self.total[place] += part


def mixing_matrix(alpha: Tensor, atoms: Sequence[int]) -> Tensor:
    """Return alphas (O, C, N) of some atoms as a matrix (O, N C)."""
    return alpha[:, :, list(atoms)].transpose(1, 2).flatten(1)


def _map_numbers(x: Tensor, grids: Sequence[VolumeGrid], early: bool) -> int:
    """Count the numbers of all filtered maps of a batch (at most: grids may be smaller)."""
    maps = sum(len(grid.tree.pairs if early else grid.atoms) for grid in grids)
    return maps * x.numel()


def _channels(x: Tensor, grid: VolumeGrid) -> Iterator[slice]:
    """Go through ranges of channels whose atoms' maps fit `CHUNK_NUMBERS`."""
    step = max(1, CHUNK_NUMBERS // (len(grid.atoms) * math.prod(x.shape[1:])))
    return (slice(start, start + step) for start in range(0, x.shape[0], step))


def _columns(x: Tensor, grid: VolumeGrid) -> Iterator[slice]:
    """Go through ranges of columns along x whose pairs' maps fit a processor's cache."""
    most = CACHED_NUMBERS if x.device.type == "cpu" else CHUNK_NUMBERS
    column = len(grid.tree.pairs) * x.shape[0] * grid.size[0] * grid.size[1]
    step = max(1, most // column)
    width = x.shape[3]
    return (slice(start, min(start + step, width)) for start in range(0, width, step))


def _mix_leaves(
    x: Tensor, alpha: Tensor, grid: VolumeGrid, kept: list[Tensor] | None, total: Tensor
) -> Tensor:
    """Filter and mix one volume (C, D, H, W) into a total (O, V), which is returned."""
    for channels in _channels(x, grid):
        maps = grid.leaves(grid.pairs(x[channels])).flatten(0, 1)
        weight = mixing_matrix(alpha[:, channels], grid.order)
        total.addmm_(weight, maps, beta=0 if channels.start == 0 else 1)
        if kept is not None:
            kept.append(maps)
    return total


def _unmix_leaves(
    grad: Tensor,
    x: Tensor,
    alpha: Tensor,
    grid: VolumeGrid,
    kept: Iterator[Tensor],
    grad_alpha: Tensor | None,
    grad_x: _Summed | None,
) -> None:
    """Add the gradients of one volume and of the alphas, given that of the output, (O, V)."""
    for channels in _channels(x, grid):
        if grad_alpha is not None:
            maps = next(kept, None)
            if maps is None:
                maps = grid.leaves(grid.pairs(x[channels])).flatten(0, 1)
            _add_at(grad_alpha[:, channels], grid.order, grad @ maps.T)
        if grad_x is not None:
            spread = mixing_matrix(alpha[:, channels], grid.order).T @ grad
            leaves = spread.view(len(grid.atoms), -1, grad.shape[1])
            grad_x.add(channels, grid.unpairs(grid.unleaves(leaves), x.shape[1:]))


def _mix_pairs(
    x: Tensor, alpha: Tensor, grid: VolumeGrid, kept: list[Tensor] | None, total: Tensor
) -> Tensor:
    """Filter and mix one volume (C, D, H, W) into a total (O, V), which is returned."""
    weights, rows = _pair_weights(alpha, grid), grid.size[0] * grid.size[1]
    mixed = x.new_empty(len(weights), len(alpha), x.shape[3] * rows)
    for columns in _columns(x, grid):
        pairs = grid.pairs(x[..., columns]).flatten(2)
        for last, weight, sums in zip(grid.tree.lasts, weights, mixed, strict=True):
            maps = pairs[last.start : last.stop].flatten(0, 1)
            sums[:, columns.start * rows : columns.stop * rows] = weight @ maps
        if kept is not None:
            kept.append(pairs)
    lines = total.view(len(alpha), rows, grid.size[2])
    for number, (last, sums) in enumerate(zip(grid.tree.lasts, mixed, strict=True)):
        maps, band = sums.view(len(alpha), x.shape[3], rows), grid.bands[2][last.profile]
        if number == 0:
            filter_leading(maps, band, lines)
        else:
            lines += filter_leading(maps, band)
    return total


def _unmix_pairs(
    grad: Tensor,
    x: Tensor,
    alpha: Tensor,
    grid: VolumeGrid,
    kept: Iterator[Tensor],
    grad_alpha: Tensor | None,
    grad_x: _Summed | None,
) -> None:
    """Add the gradients of one volume and of the alphas, given that of the output, (O, V)."""
    outputs, (channels, depth, height, _) = len(alpha), x.shape
    weights, rows = _pair_weights(alpha, grid), grid.size[0] * grid.size[1]
    lines = grad.view(outputs, rows, grid.size[2])
    below = [
        unfilter_trailing(lines, grid.bands[2][last.profile]).flatten(1) for last in grid.tree.lasts
    ]
    found = [torch.zeros_like(weight) for weight in weights]
    spread: Tensor | None = None
    for columns in _columns(x, grid):
        voxels = slice(columns.start * rows, columns.stop * rows)
        if grad_alpha is not None:
            pairs = next(kept, None)
            if pairs is None:
                pairs = grid.pairs(x[..., columns]).flatten(2)
            for last, sums, share in zip(grid.tree.lasts, below, found, strict=True):
                share.addmm_(sums[:, voxels], pairs[last.start : last.stop].flatten(0, 1).T)
        if grad_x is not None:
            width = columns.stop - columns.start
            if spread is None or spread.shape[2] != width * rows:
                spread = x.new_empty(len(grid.tree.pairs), channels, width * rows)
            spread.zero_()
            for last, sums, weight in zip(grid.tree.lasts, below, weights, strict=True):
                members = spread[last.start : last.stop].view(-1, width * rows)
                members.addmm_(weight.T, sums[:, voxels])
            maps = spread.view(-1, channels, width, rows)
            grad_x.add((..., columns), grid.unpairs(maps, (depth, height, width)))
    if grad_alpha is not None:
        for last, share in zip(grid.tree.lasts, found, strict=True):
            _add_at(grad_alpha, [grid.atoms[n] for n in last.atoms], share)


def _pair_weights(alpha: Tensor, grid: VolumeGrid) -> list[Tensor]:
    """Return the alphas of each profile along x, (O, pairs * C)."""
    return [mixing_matrix(alpha, [grid.atoms[n] for n in last.atoms]) for last in grid.tree.lasts]


def _add_at(grad_alpha: Tensor, atoms: Sequence[int], found: Tensor) -> None:
    """Add gradients (O, N C) of some atoms to those of all, (O, C, N)."""
    outputs, inputs = grad_alpha.shape[:2]
    grad_alpha[:, :, list(atoms)] += found.view(outputs, len(atoms), inputs).transpose(1, 2)
