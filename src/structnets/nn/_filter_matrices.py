"""Separable filters of maps as matrices: banded ones along y and x, or one for tiny maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._toeplitz import add_gradients_along_y, along_y


@dataclass(frozen=True)
class BandedFilters:
    """Two passes, each a product; the `matrices` are (Q, V, H) along y and (P, U, W) along x.

    Parameters
    ----------
    factors : tuple of pairs
        For every atom its filter along y and along x.
    output_size : pair of int
        V and U.
    """

    factors: tuple[Pair, ...]
    output_size: Pair
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

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> None:
        """Write the maps (N, C, h, U) of some rows."""
        filters_y, filters_x = matrices
        for q, atoms in self._by_filter_along_y():
            part = along_y(image, filters_y[q, rows]).flatten(0, 1)
            for place, p in atoms:
                torch.mm(part, filters_x[p].t(), out=maps[place].flatten(0, 1))

    def add_gradients(
        self,
        gradient: Tensor,
        image: Tensor,
        matrices: Sequence[Tensor],
        rows: slice,
        into: Tensor | None,
        into_matrices: Sequence[Tensor | None],
    ) -> None:
        """Add the gradients of the image and of the filters."""
        filters_y, filters_x = matrices
        into_y, into_x = into_matrices
        for q, atoms in self._by_filter_along_y():
            part = None
            if into_x is not None:
                part = along_y(image, filters_y[q, rows]).flatten(0, 1)
            between = gradient.new_zeros(gradient[0].shape[0] * gradient.shape[2], image.shape[2])
            for place, p in atoms:
                above = gradient[place].flatten(0, 1)
                between.addmm_(above, filters_x[p])
                if into_x is not None and part is not None:
                    into_x[p].addmm_(above.t(), part)
            between = between.unflatten(0, (len(image), -1))
            added = None if into_y is None else into_y[q, rows]
            add_gradients_along_y(between, image, filters_y[q, rows], into, added)

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

    def fill(self, image: Tensor, matrices: Sequence[Tensor], rows: slice, maps: Tensor) -> None:
        """Write the maps (C, N, V, U)."""
        torch.mm(image.flatten(1), matrices[0], out=maps.flatten(1))

    def add_gradients(
        self,
        gradient: Tensor,
        image: Tensor,
        matrices: Sequence[Tensor],
        rows: slice,
        into: Tensor | None,
        into_matrices: Sequence[Tensor | None],
    ) -> None:
        """Add the gradients of the image and of the filters."""
        flat = gradient.flatten(1)
        if into is not None:
            into.view(len(image), -1).addmm_(flat, matrices[0].t())
        if into_matrices[0] is not None:
            into_matrices[0].addmm_(image.flatten(1).t(), flat)


def dense_filters(along_y: Tensor, along_x: Tensor, factors: Sequence[Pair]) -> Tensor:
    """Return the matrix (H W, N V U) of atoms whose filters are given along y and along x."""
    y, x = (
        torch.stack([m[f] for f in axis])
        for m, axis in zip((along_y, along_x), zip(*factors, strict=True), strict=True)
    )
    return torch.einsum("nvh,nuw->hwnvu", y, x).flatten(2).flatten(0, 1)
