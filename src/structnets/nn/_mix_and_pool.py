"""Mix channels at every voxel, rectify, mix again, pool by two and rectify: a few slices at a time.

``out = relu(max_pool_2(W relu(A x + a) + b))``, or with relu(x) inside where A is left out. Step by
step this moves maps of the volume's size through memory a dozen times; slab by slab they stay in
a processor's cache.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._derivatives import needs_reference, reference_gradients

# Numbers of one map of a slab (1 MB in float32, a core's second cache).
SLAB_NUMBERS = 2**18
# Rectified maps of a whole batch that hold fewer numbers are kept for the backward pass.
KEPT_NUMBERS = 2**26


class MixAndPool(torch.autograd.Function):
    """The function above for volumes x (B, N, D, H, W), or a list of B fixed ones (N, D, H, W).

    Gradients reach x only where it is a tensor and A is left out.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor | Sequence[Tensor],
        first: Tensor | None,
        shift: Tensor | None,
        weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        """Compute the pooled maps.

        Parameters
        ----------
        x : Tensor, shape (B, N, D, H, W), or sequence of Tensor, shape (N, D, H, W)
            Volumes.
        first, shift : Tensor, shape (C, N) and (C,), or None
            A and a.
        weight, bias : Tensor, shape (O, C) and (O,)
            W and b.

        Returns
        -------
        Tensor, shape (B, O, D // 2, H // 2, W // 2)
            As ``nn.MaxPool3d(2)`` cuts odd sizes.
        """
        size, outputs = _size(x), len(weight)
        out = weight.new_empty(len(x), outputs, *(n // 2 for n in size))
        keep = len(x) * weight.shape[1] * math.prod(size) <= KEPT_NUMBERS
        all_places, kept = [], []
        for one, pooled in zip(x, out, strict=True):
            for slices, halves in _slabs(size, max(weight.shape)):
                hidden = _hidden(one[:, slices].flatten(1), first, shift)
                maps = torch.addmm(bias[:, None], weight, hidden)
                pooled[:, halves], places = pool_by_two(maps.view(outputs, -1, *size[1:]))
                all_places.append(places.flatten(1))
                if keep:
                    kept.append(hidden)
        out.relu_()
        given, ctx.fixed = (x, None) if isinstance(x, Tensor) else (None, x)
        ctx.slabs = len(all_places)
        ctx.save_for_backward(given, first, shift, weight, bias, out, *all_places, *kept)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of x, A, a, W and b, where wanted."""
        given, first, shift, weight, bias, out, *maps = ctx.saved_tensors
        if needs_reference(grad):
            inputs = [
                torch.stack(ctx.fixed) if given is None else given,
                first,
                shift,
                weight,
                bias,
            ]
            return reference_gradients(_reference, inputs, ctx.needs_input_grad, grad)
        volumes = ctx.fixed if given is None else given
        size = _size(volumes)
        grad = torch.ops.aten.threshold_backward(grad, out, 0)
        grad_x = torch.zeros_like(volumes) if ctx.needs_input_grad[0] else None
        grad_weight = torch.zeros_like(weight)
        grad_first = None if first is None else torch.zeros_like(first)
        grad_shift = None if shift is None else torch.zeros_like(shift)
        places, kept = iter(maps[: ctx.slabs]), iter(maps[ctx.slabs :])
        for b, one in enumerate(volumes):
            for slices, halves in _slabs(size, max(weight.shape)):
                x, found = one[:, slices].flatten(1), next(kept, None)
                hidden = _hidden(x, first, shift) if found is None else found
                above = hidden.new_zeros(len(weight), x.shape[1])
                above.scatter_(1, next(places), grad[b, :, halves].flatten(1))
                grad_weight.addmm_(above, hidden.T)
                below = torch.ops.aten.threshold_backward(weight.T @ above, hidden, 0)
                if grad_first is not None:
                    grad_first.addmm_(below, x.T)
                if grad_shift is not None:
                    grad_shift += below.sum(1)
                if grad_x is not None:
                    grad_x[b, :, slices] = below.view(len(below), -1, *size[1:])
        return grad_x, grad_first, grad_shift, grad_weight, grad.sum((0, 2, 3, 4))


def _reference(
    x: Tensor, first: Tensor | None, shift: Tensor | None, weight: Tensor, bias: Tensor
) -> Tensor:
    hidden = x
    if first is not None:
        hidden = functional.conv3d(x, first[..., None, None, None], shift)
    mixed = functional.conv3d(hidden.relu(), weight[..., None, None, None], bias)
    return functional.max_pool3d(mixed, 2).relu()


def pool_by_two(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Pool as ``max_pool3d(maps, 2, return_indices=True)``, by whole rows and twice as fast.

    Parameters
    ----------
    maps : Tensor, shape (C, D, H, W)
        Maps of a volume.

    Returns
    -------
    pooled : Tensor, shape (C, D // 2, H // 2, W // 2)
        The largest of each eight.
    places : Tensor, same shape, int64
        Where in ``maps[c].flatten()`` it stands, the first of equal ones.
    """
    height, width = maps.shape[2:]
    d, h, w = (n // 2 * 2 for n in maps.shape[1:])

    def starts(length: int) -> Tensor:
        return torch.arange(0, length, 2, device=maps.device)

    x_pair = maps[..., 0:w:2], maps[..., 1:w:2]
    along_x = torch.maximum(*x_pair)
    y_pair = along_x[:, :, 0:h:2], along_x[:, :, 1:h:2]
    along_y = torch.maximum(*y_pair)
    z_pair = along_y[:, 0:d:2], along_y[:, 1:d:2]
    # Which of two was taken is looked up where the next axis took it.
    z = (z_pair[1] > z_pair[0]) + starts(d)[:, None, None]
    y = (y_pair[1] > y_pair[0]).gather(1, z) + starts(h)[:, None]
    rows = z.mul_(height).add_(y)
    chosen = (x_pair[1] > x_pair[0]).flatten(1, 2).gather(1, rows.flatten(1, 2))
    x = chosen.view_as(rows) + starts(w)
    return torch.maximum(*z_pair), rows.mul_(width).add_(x)


def _size(x: Tensor | Sequence[Tensor]) -> torch.Size:
    """Return depth, height and width."""
    return x.shape[2:] if isinstance(x, Tensor) else x[0].shape[1:]


def _hidden(x: Tensor, first: Tensor | None, shift: Tensor | None) -> Tensor:
    """Return relu(A x + a) of voxels (N, V): (C, V)."""
    if first is None:
        return x.relu()
    mixed = first @ x if shift is None else torch.addmm(shift[:, None], first, x)
    return mixed.relu_()


def _slabs(size: Sequence[int], channels: int) -> Iterator[tuple[slice, slice]]:
    """Go through pairs of slices along z, so many at a time as a cache holds, and the halves."""
    pairs = max(1, SLAB_NUMBERS // (2 * size[1] * size[2] * channels))
    whole = size[0] // 2
    for start in range(0, whole, pairs):
        stop = min(start + pairs, whole)
        yield slice(2 * start, 2 * stop), slice(start, stop)
