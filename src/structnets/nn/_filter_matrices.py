"""Separable filters of maps as matrices: banded ones along y and x, or one for tiny maps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._fast_product import product
from structnets.nn._pieces import Halfway
from structnets.nn._toeplitz import add_gradients_along_y, along_y

# Maps of fewer pixels than a quarter of the outputs are filtered by one matrix.
PIXELS_PER_OUTPUT = 0.25
# Longer lines are multiplied by blocks of the matrix, which leave its zeros out.
LONGEST_LINE, BLOCK = 96, 32


def is_tiny(size: Sequence[int], outputs: int) -> bool:
    """Say whether maps (H, W) are best filtered by one matrix, for so many outputs."""
    return size[0] * size[1] <= PIXELS_PER_OUTPUT * outputs


def read_of(length: int, outputs: int, size: int) -> float:
    """Return how many samples of a line a number of an output line is multiplied with."""
    if length <= LONGEST_LINE:
        return length
    return min(length, BLOCK * length / outputs + size)


@dataclass(frozen=True)
class Band:
    """Which samples of a line the rows of a correlation's matrix read.

    Parameters
    ----------
    length : int
        Samples of the line.
    size, stride, padding, dilation : int
        As in a convolution.
    """

    length: int
    size: int
    stride: int
    padding: int
    dilation: int

    def blocks(self, rows: slice) -> Iterator[tuple[slice, slice, slice]]:
        """Yield parts of the rows, counted from the first and as given, and what they read."""
        if self.length <= LONGEST_LINE:
            yield slice(0, rows.stop - rows.start), rows, slice(0, self.length)
            return
        for first in range(rows.start, rows.stop, BLOCK):
            last = min(first + BLOCK, rows.stop)
            begin = first * self.stride - self.padding
            end = (last - 1) * self.stride - self.padding + self.dilation * (self.size - 1) + 1
            begin = min(max(0, begin), self.length)
            read = slice(begin, max(begin, min(end, self.length)))
            yield slice(first - rows.start, last - rows.start), slice(first, last), read


@dataclass(frozen=True)
class BandedFilters:
    """Two passes, each a product; the `matrices` are (Q, V, H) along y and (P, U, W) along x.

    Parameters
    ----------
    factors : tuple of pairs
        For every atom its filter along y and along x.
    output_size : pair of int
        V and U.
    bands : pair of Band
        Where the matrices along y and along x are not zero.
    """

    factors: tuple[Pair, ...]
    output_size: Pair
    bands: tuple[Band, Band]
    atoms_first = True
    whole = False

    @property
    def count(self) -> int:
        """Number of atoms."""
        return len(self.factors)

    def all_maps(self, x: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        """Filter a batch: (B, N C, V, U)."""
        filters_y, filters_x = matrices
        parts = {q: torch.matmul(filters_y[q], x) for q in {q for q, _ in self.factors}}
        return torch.cat([parts[q] @ filters_x[p].t() for q, p in self.factors], 1)

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> Halfway:
        """Write the maps (N, C, h, U) of some rows; return those filtered along y."""
        filters_y, filters_x = matrices
        halfway = {}
        for q, atoms in self._by_filter_along_y():
            part = halfway[q] = self._along_y(image, filters_y[q], rows).flatten(0, 1)
            for place, p in atoms:
                out = maps[place].flatten(0, 1)
                for _, columns, read in self.bands[1].blocks(slice(0, self.output_size[1])):
                    product(part[:, read], filters_x[p, columns, read].t(), out[:, columns])
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
        """Add the gradients of the image and of the filters."""
        filters_y, filters_x = matrices
        into_y, into_x = into_learned
        for q, atoms in self._by_filter_along_y():
            part = None if halfway is None else halfway[q]
            if into_x is not None and part is None:
                part = self._along_y(image, filters_y[q], rows).flatten(0, 1)
            between = gradient.new_zeros(gradient[0].shape[0] * gradient.shape[2], image.shape[2])
            for place, p in atoms:
                above = gradient[place].flatten(0, 1)
                for _, columns, read in self.bands[1].blocks(slice(0, self.output_size[1])):
                    between[:, read] += product(above[:, columns], filters_x[p, columns, read])
                    if into_x is not None and part is not None:
                        into_x[p, columns, read] += product(above[:, columns].t(), part[:, read])
            between = between.unflatten(0, (len(image), -1))
            for own, some, read in self.bands[0].blocks(rows):
                target = None if into is None else into[:, read]
                added = None if into_y is None else into_y[q, some, read]
                add_gradients_along_y(
                    between[:, own], image[:, read], filters_y[q, some, read], target, added
                )

    def _along_y(self, image: Tensor, filters: Tensor, rows: slice) -> Tensor:
        """Filter an image (C, H, W) along y: the rows (C, h, W)."""
        parts = [
            along_y(image[:, read], filters[some, read])
            for _, some, read in self.bands[0].blocks(rows)
        ]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def _by_filter_along_y(self) -> list[tuple[int, list[Pair]]]:
        groups: dict[int, list[Pair]] = {}
        for place, (q, p) in enumerate(self.factors):
            groups.setdefault(q, []).append((place, p))
        return sorted(groups.items())


@dataclass(frozen=True)
class DenseFilters:
    """All atoms by one product; the only matrix is (H W, N V U).

    Parameters
    ----------
    count : int
        Number of atoms.
    output_size : pair of int
        V and U.
    """

    count: int
    output_size: Pair
    atoms_first = False
    whole = True

    def all_maps(self, x: Tensor, matrices: Sequence[Tensor]) -> Tensor:
        """Filter a batch: (B, C N, V, U)."""
        maps = x.flatten(2) @ matrices[0]
        return maps.unflatten(2, (self.count, *self.output_size)).flatten(1, 2)

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> Halfway:
        """Write the maps (C, N, V, U)."""
        torch.mm(image.flatten(1), matrices[0], out=maps.flatten(1))
        return {}

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
        """Add the gradients of the image and of the filters."""
        flat = gradient.flatten(1)
        if into is not None:
            into.view(len(image), -1).addmm_(flat, matrices[0].t())
        if into_learned[0] is not None:
            into_learned[0].addmm_(image.flatten(1).t(), flat)


def dense_filters(along_y: Tensor, along_x: Tensor, factors: Sequence[Pair]) -> Tensor:
    """Return the matrix (H W, N V U) of atoms whose filters are given along y and along x."""
    y, x = (
        torch.stack([m[f] for f in axis])
        for m, axis in zip((along_y, along_x), zip(*factors, strict=True), strict=True)
    )
    return torch.einsum("nvh,nuw->hwnvu", y, x).flatten(2).flatten(0, 1)
