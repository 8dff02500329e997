"""Compose the filters of all frame convolutions of a model by one product per frame.

A layer alone composes its filters when it is called: a few small operations, which on a fast
device cost launching rather than arithmetic, and a net of a hundred small layers is bound by
that. Together they cost two copies and one matrix product per frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from structnets.bases.frames import Frame
from structnets.nn._frame_convolution import COMPOSED, FrameConvolution, compose

Key = tuple[Frame, torch.device, torch.dtype]

LARGEST = 2**18
"""Layers of more coefficients compose alone: launching is nothing beside their arithmetic."""


@contextmanager
def composed_together(model: nn.Module) -> Iterator[None]:
    """Compose the filters of a model's frame convolutions on entry, for calls inside the block.

    Gradients are those of composing one by one. Inside the block the filters do not follow
    changes of the coefficients. A compiled model composes its own way, and activation
    checkpointing cannot recompute what was composed outside its segment: then go without. Layers of
    more than 262,144 coefficients compose alone, when they are called. What is composed belongs to
    the thread, or the task of ``asyncio``, that entered the block; others compose their own.

    Parameters
    ----------
    model : nn.Module
        Any; layers other than frame convolutions are not touched.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from structnets.nn import FrameConv2d, composed_together
    >>> net = nn.Sequential(FrameConv2d(1, 4, 3), FrameConv2d(4, 4, 3))
    >>> with composed_together(net):
    ...     net(torch.zeros(1, 1, 8, 8)).shape
    torch.Size([1, 4, 4, 4])
    """
    if torch.compiler.is_compiling():
        yield
        return
    groups: dict[Key, list[FrameConvolution]] = {}
    for layer in model.modules():
        if isinstance(layer, FrameConvolution) and layer.coefficients.numel() <= LARGEST:
            weights = layer.coefficients
            groups.setdefault((layer.frame, weights.device, weights.dtype), []).append(layer)
    composed = dict(COMPOSED.get())
    for layers in groups.values():
        composed.update(zip(layers, _filters(layers), strict=True))
    token = COMPOSED.set(composed)
    try:
        yield
    finally:
        COMPOSED.reset(token)


def _filters(layers: list[FrameConvolution]) -> list[Tensor]:
    """Return the filters of layers that share a frame, each in the shape of plain weights."""
    rows = [layer.coefficients.flatten(0, 1) for layer in layers]
    composed = compose(torch.cat(rows), layers[0].constant("atoms", rows[0]))
    pieces = composed.split([len(row) for row in rows])
    return [
        piece.view(*layer.coefficients.shape[:2], *layer.kernel_size)
        for layer, piece in zip(layers, pieces, strict=True)
    ]
