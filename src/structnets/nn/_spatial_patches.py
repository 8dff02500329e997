"""Spatial patches of arrays (N, U1, U2, V), V attribute values at each place, piece by piece.

The inner array of a hierarchical convolution is a linear map of these patches. They are made
for a few thousand places at a time, so that what is made of them stays in the processor's cache,
and never kept. The first two moments of all patches give the mean and the variance of *any*
filter's response, which batch normalisation asks for, without the responses.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._derivatives import needs_reference, reference_gradients


def pad_space(array: Tensor, margin: int, padding: str) -> Tensor:
    """Surround U1 and U2 of (N, U1, U2, V) by `margin`, with ``zeros`` or ``circular``.

    Raises
    ------
    ValueError
        If circular padding is wider than the image.
    """
    if padding == "circular":
        if margin > min(array.shape[1:3]):
            raise ValueError(
                f"circular padding of {margin} exceeds images of "
                f"{array.shape[1]} x {array.shape[2]}; use larger images or padding 'zeros'"
            )
        return functional.pad(array.movedim(3, 1), [margin] * 4, mode="circular").movedim(1, 3)
    return functional.pad(array, [0, 0, *[margin] * 4])


@dataclass(frozen=True)
class Piece:
    """A few neighbouring output places: rows of one image, or several whole images."""

    images: slice
    rows: range
    places: slice


@dataclass(frozen=True)
class Patches:
    """The patches of width `size` that a padded array (N, P1, P2, V) has at stride `stride`.

    Parameters
    ----------
    shape : tuple of int
        Of the padded array.
    size, stride : int
        Width of the patches and distance between them.
    """

    shape: tuple[int, int, int, int]
    size: int
    stride: int = 1

    @property
    def outputs(self) -> tuple[int, int]:
        """Patches along each spatial axis."""
        height, width = ((n - self.size) // self.stride + 1 for n in self.shape[1:3])
        return height, width

    @property
    def count(self) -> int:
        """All patches, of all images and attribute values."""
        return self.shape[0] * math.prod(self.outputs) * self.shape[3]

    def pieces(self, most: int) -> Iterator[Piece]:
        """Cut the output places into pieces of at most `most`, one row of one image at least."""
        batch, (height, width) = self.shape[0], self.outputs
        images = max(1, most // (height * width))
        rows = height if images > 1 else max(1, most // width)
        for i in range(0, batch, images):
            last = min(batch, i + images)
            for r in range(0, height, rows):
                end = min(height, r + rows)
                begin = (i * height + r) * width
                stop = begin + (last - i) * (end - r) * width
                yield Piece(slice(i, last), range(r, end), slice(begin, stop))

    def windows(self, padded: Tensor, piece: Piece) -> Iterator[Tensor]:
        """Yield the samples that each tap meets, as a view (images, rows, U2', V)."""
        rows, reach = piece.rows, self.stride * (self.outputs[1] - 1) + 1
        for dy in range(self.size):
            first = self.stride * rows.start + dy
            end = self.stride * (rows.stop - 1) + dy + 1
            for dx in range(self.size):
                yield padded[piece.images, first : end : self.stride, dx : dx + reach : self.stride]

    def gather(self, padded: Tensor, piece: Piece, out: Tensor) -> None:
        """Write the patches of a piece to `out`, shape (size^2, places V)."""
        for row, window in zip(out, self.windows(padded, piece), strict=True):
            row.view(window.shape).copy_(window)

    def stacked(self, padded: Tensor) -> Tensor:
        """Return all patches, (size^2, places V), by operations autograd knows."""
        height, _ = self.outputs
        whole = Piece(slice(None), range(height), slice(None))
        return torch.stack([window.flatten() for window in self.windows(padded, whole)])

    def scatter_add(self, patches: Tensor, piece: Piece, padded: Tensor) -> None:
        """Add patches (size^2, places V) back to where they were gathered."""
        for row, window in zip(patches, self.windows(padded, piece), strict=True):
            window += row.view(window.shape)


MOMENT_PLACES = 1024


class _Moments(torch.autograd.Function):
    """Mean and covariance of all patches; deviations from the array's mean spare digits."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, geometry: Patches) -> tuple[Tensor, Tensor]:
        taps, values = geometry.size**2, geometry.shape[3]
        shift = padded.mean()
        deviations = padded - shift
        total = padded.new_zeros(taps, dtype=torch.float64)
        products = padded.new_zeros(taps, taps, dtype=torch.float64)
        for piece in geometry.pieces(MOMENT_PLACES):
            patches = padded.new_empty(taps, (piece.places.stop - piece.places.start) * values)
            geometry.gather(deviations, piece, patches)
            total += patches.sum(1)
            products += patches @ patches.t()
        offset = total / geometry.count
        ctx.geometry = geometry
        ctx.save_for_backward(padded, shift, offset)
        return shift + offset, products / geometry.count - offset.outer(offset)

    @staticmethod
    def backward(ctx: Any, grad_mean: Tensor, grad_covariance: Tensor) -> tuple[Tensor | None, ...]:
        padded, shift, offset = ctx.saved_tensors
        if needs_reference(grad_mean, grad_covariance):
            reference = functools.partial(_reference, geometry=ctx.geometry)
            grads = grad_mean, grad_covariance
            return *reference_gradients(reference, [padded], [True], *grads), None
        geometry: Patches = ctx.geometry
        deviations = padded - shift
        slope = (grad_covariance + grad_covariance.t()) / geometry.count
        constant = (grad_mean / geometry.count - slope @ offset).to(deviations)
        slope = slope.to(deviations)
        grad = torch.zeros_like(deviations)
        values = geometry.shape[3]
        for piece in geometry.pieces(MOMENT_PLACES):
            places = piece.places.stop - piece.places.start
            patches = deviations.new_empty(len(slope), places * values)
            geometry.gather(deviations, piece, patches)
            geometry.scatter_add(torch.addmm(constant[:, None], slope, patches), piece, grad)
        return grad, None


def _reference(padded: Tensor, geometry: Patches) -> tuple[Tensor, Tensor]:
    patches = geometry.stacked(padded).double()
    mean = patches.mean(1)
    return mean, patches @ patches.t() / geometry.count - mean.outer(mean)


def patch_moments(padded: Tensor, geometry: Patches) -> tuple[Tensor, Tensor]:
    """Return the mean and the covariance of all patches.

    Parameters
    ----------
    padded : Tensor, shape (N, P1, P2, V)
        Padded array.
    geometry : Patches
        Which patches.

    Returns
    -------
    mean : Tensor, shape (size^2,), float64
        Taps in row-major order.
    covariance : Tensor, shape (size^2, size^2), float64
        Divided by the number of patches.
    """
    mean, covariance = _Moments.apply(padded, geometry)  # type: ignore[misc]
    return mean, covariance
