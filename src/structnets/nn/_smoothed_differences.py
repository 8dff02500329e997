"""Hybrid Gaussian derivatives of maps: one smoothing a scale, then differences of few samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._differences import Line, add_adjoint, difference
from structnets.nn._toeplitz import add_gradients_along_y, along_y

Orders = tuple[int, int]


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
    """

    scales: tuple[tuple[tuple[int, Orders], ...], ...]
    output_size: Pair
    stride: Pair
    spacing: Pair
    reach: int
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

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> None:
        """Write the maps (N, C, h, U) of some rows."""
        line_y, line_x = self._lines(rows)
        for scale, smooth_y, smooth_x in self._by_scale(matrices):
            smoothed = along_y(image, smooth_y[self._read(rows)])
            smoothed = (smoothed.flatten(0, 1) @ smooth_x.t()).unflatten(0, smoothed.shape[:2])
            for order_x, atoms in _by_order_along_x(scale):
                if len(atoms) == 1 and atoms[0][1] == 0:
                    difference(line_y.of(smoothed), order_x, line_x, maps[atoms[0][0]])
                    continue
                part = difference(smoothed, order_x, line_x)
                for place, order_y in atoms:
                    difference(part, order_y, line_y, maps[place])

    def add_gradients(
        self,
        gradient: Tensor,
        image: Tensor,
        matrices: Sequence[Tensor],
        rows: slice,
        into: Tensor | None,
        into_matrices: Sequence[Tensor | None],
    ) -> None:
        """Add the gradients of the image and of the smoothing."""
        line_y, line_x = self._lines(rows)
        read = self._read(rows)
        targets = [into_matrices[2 * i : 2 * i + 2] for i in range(len(self.scales))]
        for (scale, smooth_y, smooth_x), (into_y, into_x) in zip(
            self._by_scale(matrices), targets, strict=True
        ):
            shape = (len(image), read.stop - read.start, len(smooth_x))
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
            flat = below.flatten(0, 1)
            between = (flat @ smooth_x).unflatten(0, shape[:2])
            added = None if into_y is None else into_y[read]
            add_gradients_along_y(between, image, smooth_y[read], into, added)
            if into_x is not None:
                into_x.addmm_(flat.t(), along_y(image, smooth_y[read]).flatten(0, 1))

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
