"""Filter with all atoms, then mix, a piece of an image at a time: no response is ever stored.

Filtering first takes as many products a pixel and channel as there are atoms, often fewer than a
kernel has taps. What it costs beside them is writing every atom's map and reading it again; here
the maps of a few rows of one image are made in memory that stays near the processor, mixed by one
matrix product, and made again in the backward pass. Only the input is kept.

How maps are filtered is a `Filtering`: by a smoothing and differences of it
(`structnets.nn._smoothed_differences`), or with separable filters as banded matrices, or with one
matrix for maps of a few pixels (`structnets.nn._filter_matrices`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._derivatives import needs_reference, reference_gradients
from structnets.nn._fast_product import product
from structnets.nn._layouts import layout_of

# Numbers in the maps of a piece, 16 MB of float32: smaller ones spend more on starting operations
# and on short products than they save in memory traffic.
PIECE_NUMBERS = 1 << 22
# Images whose maps together have no more numbers than these, 1 MB, are a piece: what an operation
# begins with is then paid for once.
GROUP_NUMBERS = 1 << 18


# Maps that are filtered along y only, by what they were filtered with.
Halfway = Mapping[int, Tensor]


class Filtering(Protocol):
    """A fixed linear map from an image to the maps of N atoms, each (V, U) for every channel."""

    atoms_first: bool
    """Whether maps are (N, C, h, U) or (C, N, h, U)."""
    whole: bool
    """Whether all rows must be made at once."""

    @property
    def count(self) -> int:
        """Number of atoms N."""
        ...

    @property
    def output_size(self) -> tuple[int, int]:
        """Height V and width U of the maps."""
        ...

    def all_maps(self, x: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        """Filter a batch (B, C, H, W), differentiably: (B, N C or C N, V, U)."""
        ...

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> Halfway:
        """Write the maps' rows of one image (C, H, W); return what `add_gradients` reads again."""
        ...

    def add_gradients(
        self,
        gradient: Tensor,
        image: Tensor,
        matrices: Sequence[Tensor],
        rows: slice,
        halfway: Halfway | None,
        into: Tensor | None,
        into_learned: Sequence[Tensor | None],
    ) -> None:
        """Add what a gradient of the maps' rows is for the image and for what is learned.

        That is the `scales` where they are given, and the matrices otherwise.
        """
        ...


def filter_and_mix(
    x: Tensor,
    weights: Tensor,
    filtering: Filtering,
    matrices: Sequence[Tensor],
    scales: Tensor | None = None,
) -> Tensor:
    """Filter maps and mix them by pieces.

    Parameters
    ----------
    x : Tensor, shape (B, C, H, W)
        Maps, in memory as ``torch.contiguous_format`` or ``torch.channels_last``.
    weights : Tensor, shape (O, N C or C N)
        Mixing, in the order of the filtering's maps.
    filtering : Filtering
        What the atoms are.
    matrices : sequence of Tensor
        What the filtering needs; gradients flow to those that want one.
    scales : Tensor, optional
        What the matrices are functions of, with derivatives that the filtering knows. Gradients
        flow to it instead, for less; those that are differentiated again flow to the matrices.

    Returns
    -------
    Tensor, shape (B, O, V, U)
        In memory as the input is. Second derivatives are those of `filter_then_mix`.
    """
    out = _Pieces.apply(x, weights, filtering, scales, *matrices)
    assert isinstance(out, Tensor)
    return out


def filter_then_mix(
    x: Tensor, weights: Tensor, filtering: Filtering, matrices: Sequence[Tensor]
) -> Tensor:
    """Do the same with all maps at once, in operations that PyTorch traces and differentiates."""
    maps = filtering.all_maps(x, matrices).to(weights.dtype)
    return functional.conv2d(maps, weights[:, :, None, None])


class _Pieces(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weights: Tensor,
        filtering: Filtering,
        scales: Tensor | None,
        *matrices: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(x, weights, scales, *matrices)
        ctx.filtering = filtering
        high, wide = filtering.output_size
        size = (len(x), len(weights), high, wide)
        given = {"dtype": x.dtype, "device": x.device, "memory_format": layout_of(x)}
        out = torch.empty(size, **given)
        memory = _memory(x, filtering)
        for images in _groups(x, filtering):
            image = _side_by_side(x[images])
            for rows in _pieces(x, filtering):
                maps = _maps_of(memory, image, filtering, rows)
                filtering.fill(image, matrices, rows, maps)
                mixed = product(weights, maps.view(weights.shape[1], -1))
                _write_apart(mixed, out[images, :, rows])
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weights, scales, *matrices = ctx.saved_tensors
        filtering: Filtering = ctx.filtering
        want_x, want_weights, _, want_scales, *want_matrices = ctx.needs_input_grad
        if needs_reference(gradient):
            of_x, of_weights, *rest = reference_gradients(
                lambda x, weights, *matrices: filter_then_mix(x, weights, filtering, matrices),
                (x, weights, *matrices),
                (want_x, want_weights, *want_matrices),
                gradient,
            )
            return of_x, of_weights, None, None, *rest
        layout = layout_of(x)
        gradient = gradient.contiguous(memory_format=layout)
        into_x = torch.empty_like(x, memory_format=torch.contiguous_format) if want_x else None
        into_weights = torch.zeros_like(weights) if want_weights else None
        learned = matrices if scales is None else [scales]
        want_learned = want_matrices if scales is None else [want_scales]
        into_learned = [
            torch.zeros_like(tensor) if want else None
            for tensor, want in zip(learned, want_learned, strict=True)
        ]
        memory, transposed = _memory(x, filtering), weights.t().contiguous()
        for images in _groups(x, filtering):
            image = _side_by_side(x[images])
            into = None if into_x is None else torch.zeros_like(image)
            for rows in _pieces(x, filtering):
                above = _side_by_side(gradient[images, :, rows]).view(len(weights), -1)
                halfway = None
                if into_weights is not None:
                    maps = _maps_of(memory, image, filtering, rows)
                    halfway = filtering.fill(image, matrices, rows, maps)
                    into_weights += product(above, maps.view(weights.shape[1], -1).t())
                if want_x or any(want_learned):
                    below = product(transposed, above).view(_shape_of(image, filtering, rows))
                    filtering.add_gradients(
                        below, image, matrices, rows, halfway, into, into_learned
                    )
            if into_x is not None and into is not None:
                _write_apart(into, into_x[images])
        if into_x is not None:
            into_x = into_x.contiguous(memory_format=layout)
        if scales is None:
            return into_x, into_weights, None, None, *into_learned
        return into_x, into_weights, None, *into_learned, *([None] * len(matrices))


def _groups(x: Tensor, filtering: Filtering) -> Iterator[slice]:
    """Yield the images that are filtered side by side, as one of more channels."""
    high, wide = filtering.output_size
    many = GROUP_NUMBERS // max(1, filtering.count * x.shape[1] * high * wide)
    step = max(1, many) if filtering.atoms_first else 1
    for first in range(0, len(x), step):
        yield slice(first, min(first + step, len(x)))


def _pieces(x: Tensor, filtering: Filtering) -> Iterator[slice]:
    """Yield the rows of the output, a piece at a time."""
    high, wide = filtering.output_size
    many = PIECE_NUMBERS // max(1, filtering.count * x.shape[1] * wide)
    step = high if filtering.whole else max(1, many)
    for first in range(0, high, step):
        yield slice(first, min(first + step, high))


def _memory(x: Tensor, filtering: Filtering) -> Tensor:
    """Allocate the maps of the largest piece."""
    images = next(_groups(x, filtering), slice(0, 0))
    rows = next(_pieces(x, filtering), slice(0, 0))
    numbers = (images.stop - images.start) * (rows.stop - rows.start) * filtering.output_size[1]
    return x.new_empty(filtering.count * x.shape[1] * numbers)


def _maps_of(memory: Tensor, image: Tensor, filtering: Filtering, rows: slice) -> Tensor:
    """Return a piece's maps: (N, C, h, U) or (C, N, h, U) of the memory."""
    shape = _shape_of(image, filtering, rows)
    return memory[: math.prod(shape)].view(shape)


def _shape_of(image: Tensor, filtering: Filtering, rows: slice) -> tuple[int, ...]:
    leading = (filtering.count, len(image))
    leading = leading if filtering.atoms_first else leading[::-1]
    return (*leading, rows.stop - rows.start, filtering.output_size[1])


def _apart(maps: Tensor) -> Tensor:
    """Return images (b, C, h, W) as (C, b, h, W), a view."""
    return maps.transpose(0, 1)


def _write_apart(found: Tensor, images: Tensor) -> None:
    """Write what was found side by side, (C, ...) of all images, into those (b, C, h, W)."""
    apart = _apart(images)
    apart.copy_(found.view_as(apart))


def _side_by_side(images: Tensor) -> Tensor:
    """Return images (b, C, h, W) as one of more channels (C b, h, W), contiguous."""
    return _apart(images).reshape(-1, *images.shape[2:]).contiguous()
