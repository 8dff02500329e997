"""Hybrid Gaussian derivatives of maps: one smoothing a scale, then differences of few samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._differences import Line, add_adjoint, difference
from structnets.nn._fast_product import product
from structnets.nn._pieces import Halfway

Orders = tuple[int, int]
# Where the image by rows is found among the maps smoothed along y, which have their scale's place.
LINES = -1
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class SmoothedDifferences:
    """Unscaled differences of smoothed maps; the `matrices` are those of every scale, y then x.

    Parameters
    ----------
    scales : tuple of tuples
        For every scale its atoms: their place, and their orders along x and y.
    output_size : pair of int
        V and U.
    stride, spacing : pair of int
        Of the places, and of neighbours (the dilation), along y and x.
    reach : int
        Neighbours to either side that the smoothed maps have beyond the first and last place.
    rates : tuple of Tensor
        Of learned scales, the matrices' derivatives by them.
    """

    scales: tuple[tuple[tuple[int, Orders], ...], ...]
    output_size: Pair
    stride: Pair
    spacing: Pair
    reach: int
    rates: tuple[Tensor, ...] = ()
    atoms_first = True
    whole = False

    @property
    def count(self) -> int:
        """Number of atoms."""
        return sum(len(atoms) for atoms in self.scales)

    def all_maps(self, x: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        """Filter a batch: (B, N C, V, U)."""
        maps: dict[int, Tensor] = {}
        lines = self._lines(slice(0, self.output_size[0]))
        for scale, smooth_y, smooth_x in self._by_scale(matrices):
            smoothed = torch.matmul(smooth_y, x) @ smooth_x.t()
            for order_x, atoms in _by_order_along_x(scale):
                part = difference(smoothed, order_x, lines[1])
                for place, order_y in atoms:
                    maps[place] = difference(part, order_y, lines[0])
        return torch.cat([maps[n] for n in range(len(maps))], 1)

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> Halfway:
        """Write the maps (N, C, h, U) of some rows; return those smoothed along y.

        Within, maps are (h, C, U), so that smoothing along either axis is one product of matrices.
        """
        line_y, line_x = self._lines(rows, (0, 2))
        halfway = self._halfway(image, matrices, rows)
        for n, (scale, _, smooth_x) in enumerate(self._by_scale(matrices)):
            half = halfway[n]
            smoothed = product(half.view(-1, image.shape[2]), smooth_x.t())
            smoothed = smoothed.view(len(half), len(image), -1)
            for order_x, atoms in _by_order_along_x(scale):
                if len(atoms) == 1 and atoms[0][1] == 0:
                    out = maps[atoms[0][0]].transpose(0, 1)
                    difference(line_y.of(smoothed), order_x, line_x, out)
                    continue
                part = difference(smoothed, order_x, line_x)
                for place, order_y in atoms:
                    difference(part, order_y, line_y, maps[place].transpose(0, 1))
        return halfway

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
        """Add the gradients of the image and of the scales."""
        read, (channels, _, wide) = self._read(rows), image.shape
        learned = [scales for scales in into_learned if scales is not None]
        if halfway is None and learned:
            halfway = self._halfway(image, matrices, rows)
        for n, (scale, smooth_y, smooth_x) in enumerate(self._by_scale(matrices)):
            smooth_y = smooth_y[read]
            below = self._below(gradient, scale, (len(smooth_y), channels, len(smooth_x)), rows)
            flat = below.flatten(0, 1)
            between = product(flat, smooth_x).view(len(smooth_y), -1)
            if into is not None:
                found = product(smooth_y.t(), between).view(-1, channels, wide)
                into += found.transpose(0, 1)
            for scales in learned:
                assert halfway is not None
                # Smoothing is My x Mx': by the scale it is (dMy x) Mx' + (My x) dMx', and the
                # sums are taken where both factors are at hand.
                rate_y, rate_x = self.rates[2 * n][read], self.rates[2 * n + 1]
                scales[n] += (product(between, halfway[LINES].t()) * rate_y).sum()
                scales[n] += (product(flat.t(), halfway[n].view(-1, wide)) * rate_x).sum()

    def _halfway(self, image: Tensor, matrices: Sequence[Tensor], rows: slice) -> Halfway:
        """Return the image by rows, and smoothed along y by every scale."""
        lines = image.transpose(0, 1).flatten(1)
        smoothed = (product(m[self._read(rows)], lines) for m in matrices[::2])
        return {LINES: lines, **dict(enumerate(smoothed))}

    def _below(
        self, gradient: Tensor, scale: Sequence[tuple[int, Orders]], shape: Shape, rows: slice
    ) -> Tensor:
        """Return the gradient of the smoothed maps (h, C, U) of a scale."""
        line_y, line_x = self._lines(rows, (0, 2))
        below = gradient.new_zeros(shape)
        for order_x, atoms in _by_order_along_x(scale):
            if len(atoms) == 1 and atoms[0][1] == 0:
                above = gradient[atoms[0][0]].transpose(0, 1)
                add_adjoint(above, order_x, line_x, line_y.of(below))
                continue
            if order_x == 0:
                part = line_x.of(below)
            else:
                part = gradient.new_zeros(*shape[:2], self.output_size[1])
            for place, order_y in atoms:
                add_adjoint(gradient[place].transpose(0, 1), order_y, line_y, part)
            if order_x > 0:
                add_adjoint(part, order_x, line_x, below)
        return below

    def _by_scale(self, matrices: Sequence[Tensor]) -> list[tuple[tuple, Tensor, Tensor]]:
        return list(zip(self.scales, matrices[::2], matrices[1::2], strict=True))

    def _lines(self, rows: slice, axes: Pair = (-2, -1)) -> tuple[Line, Line]:
        """Return the places along y, within the rows read for a piece, and along x."""
        starts = [self.reach * spacing for spacing in self.spacing]
        counts = (rows.stop - rows.start, self.output_size[1])
        y, x = (
            Line(axis, start, count, step, spacing)
            for axis, start, count, step, spacing in zip(
                axes, starts, counts, self.stride, self.spacing, strict=True
            )
        )
        return y, x

    def _read(self, rows: slice) -> slice:
        """Return the smoothed rows that rows of the output need."""
        first = rows.start * self.stride[0]
        last = (rows.stop - 1) * self.stride[0] + 2 * self.reach * self.spacing[0]
        return slice(first, last + 1)


def _by_order_along_x(scale: Sequence[tuple[int, Orders]]) -> list[tuple[int, list[Pair]]]:
    """Group a scale's atoms by order along x: the places and their orders along y."""
    groups: dict[int, list[Pair]] = {}
    for place, (order_x, order_y) in scale:
        groups.setdefault(order_x, []).append((place, order_y))
    return sorted(groups.items())
