"""Hybrid Gaussian derivatives of maps: one smoothing a scale, then differences of few samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._differences import Line, add_adjoint, difference
from structnets.nn._pieces import Halfway
from structnets.nn._toeplitz import along_y

Orders = tuple[int, int]
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
        """Write the maps (N, C, h, U) of some rows; return those smoothed along y."""
        line_y, line_x = self._lines(rows)
        halfway = {}
        for n, (scale, smooth_y, smooth_x) in enumerate(self._by_scale(matrices)):
            half = halfway[n] = along_y(image, smooth_y[self._read(rows)])
            smoothed = (half.flatten(0, 1) @ smooth_x.t()).unflatten(0, half.shape[:2])
            for order_x, atoms in _by_order_along_x(scale):
                if len(atoms) == 1 and atoms[0][1] == 0:
                    difference(line_y.of(smoothed), order_x, line_x, maps[atoms[0][0]])
                    continue
                part = difference(smoothed, order_x, line_x)
                for place, order_y in atoms:
                    difference(part, order_y, line_y, maps[place])
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
        read = self._read(rows)
        for n, (scale, smooth_y, smooth_x) in enumerate(self._by_scale(matrices)):
            smooth_y = smooth_y[read]
            below = self._below(gradient, scale, (len(image), len(smooth_y), len(smooth_x)), rows)
            flat = below.flatten(0, 1)
            between = (flat @ smooth_x).unflatten(0, below.shape[:2])
            if into is not None:
                into.baddbmm_(smooth_y.t().expand(len(image), -1, -1), between)
            for scales in into_learned:
                if scales is None:
                    continue
                # Smoothing is My x Mx': by the scale it is (dMy x) Mx' + (My x) dMx', and the
                # sums are taken where both factors are at hand.
                rate_y, rate_x = self.rates[2 * n][read], self.rates[2 * n + 1]
                part = along_y(image, smooth_y) if halfway is None else halfway[n]
                scales[n] += torch.dot(between.flatten(), along_y(image, rate_y).flatten())
                scales[n] += torch.dot((flat @ rate_x).flatten(), part.flatten())

    def _below(
        self, gradient: Tensor, scale: Sequence[tuple[int, Orders]], shape: Shape, rows: slice
    ) -> Tensor:
        """Return the gradient of the smoothed maps (C, h, U) of a scale."""
        line_y, line_x = self._lines(rows)
        below = gradient.new_zeros(shape)
        for order_x, atoms in _by_order_along_x(scale):
            if len(atoms) == 1 and atoms[0][1] == 0:
                add_adjoint(gradient[atoms[0][0]], order_x, line_x, line_y.of(below))
                continue
            if order_x == 0:
                part = line_x.of(below)
            else:
                part = gradient.new_zeros(*shape[:2], self.output_size[1])
            for place, order_y in atoms:
                add_adjoint(gradient[place], order_y, line_y, part)
            if order_x > 0:
                add_adjoint(part, order_x, line_x, below)
        return below

    def _by_scale(self, matrices: Sequence[Tensor]) -> list[tuple[tuple, Tensor, Tensor]]:
        return list(zip(self.scales, matrices[::2], matrices[1::2], strict=True))

    def _lines(self, rows: slice) -> tuple[Line, Line]:
        """Return the places along y, within the rows read for a piece, and along x."""
        starts = [self.reach * spacing for spacing in self.spacing]
        counts = (rows.stop - rows.start, self.output_size[1])
        y, x = (
            Line(axis, start, count, step, spacing)
            for axis, start, count, step, spacing in zip(
                (-2, -1), starts, counts, self.stride, self.spacing, strict=True
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
