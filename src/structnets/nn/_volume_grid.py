"""Separable atoms on a volume: shared passes as rotating matrix products.

A pass filters the leading axis of volumes (M, n, rest) by a banded matrix and moves it to the
end: (M, rest, m). After three passes the axes stand as before, no data was transposed in memory,
and the cost did not depend on the filters' width. Atoms share passes: order 3 at one scale takes
4 passes along z, 10 along y and 20 along x instead of 60.

Legend: C channels, N atoms, K pairs of a z and a y profile, P profiles, V voxels of the output.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from structnets.nn._convolution_arguments import Triple


def filter_leading(maps: Tensor, band: Tensor, out: Tensor | None = None) -> Tensor:
    """Filter the leading axis: (M, n, rest) by a matrix (m, n) to (M, rest, m)."""
    return torch.matmul(maps.transpose(1, 2), band.T, out=out)


def unfilter_trailing(maps: Tensor, band: Tensor) -> Tensor:
    """Apply the adjoint of `filter_leading`: (M, rest, m) to (M, n, rest)."""
    return torch.matmul(band.T, maps.transpose(1, 2))


@dataclass(frozen=True)
class LastPass:
    """The atoms that share their profile along x; their pairs are neighbours in the tree."""

    profile: int
    start: int
    stop: int
    atoms: tuple[int, ...]


class PassTree:
    """Which passes the atoms share.

    Parameters
    ----------
    factors : sequence of (z, y, x)
        Profile of each atom along each axis, the profiles of a scale being neighbours.
    profiles_per_scale : int
        Order of the basis plus one.
    """

    def __init__(self, factors: Sequence[Triple], profiles_per_scale: int) -> None:
        def rank(pair: tuple[int, int]) -> tuple[int, int]:
            scale, first = divmod(pair[0], profiles_per_scale)
            return scale, first + pair[1] % profiles_per_scale

        # By scale and total order: those that a profile along x goes with are then a range.
        self.pairs = sorted({(z, y) for z, y, _ in factors}, key=lambda p: (rank(p), p))
        place = {pair: k for k, pair in enumerate(self.pairs)}
        self.lasts: list[LastPass] = []
        for profile in sorted({x for _, _, x in factors}):
            members = sorted(
                (place[z, y], n) for n, (z, y, x) in enumerate(factors) if x == profile
            )
            start, stop = members[0][0], members[-1][0] + 1
            if stop - start != len(members):
                raise ValueError("factors must be those of a Gaussian basis up to an order")
            self.lasts.append(LastPass(profile, start, stop, tuple(n for _, n in members)))
        # Atoms in the order in which `leaves` gives them.
        self.order = [n for last in self.lasts for n in last.atoms]


@dataclass(frozen=True)
class VolumeGrid:
    """Some atoms with the matrices that evaluate them on one output grid.

    Parameters
    ----------
    atoms : tuple of int
        Which of the layer's atoms.
    tree : PassTree
        Their passes; its profiles index `bands`.
    bands : three Tensors, shape (P, m, n)
        Banded matrices along z, y, x.
    lifts : three Tensors, shape (m', m), optional
        Interpolation from this grid to the layer's output grid, for a coarse one.
    """

    atoms: tuple[int, ...]
    tree: PassTree
    bands: tuple[Tensor, Tensor, Tensor]
    lifts: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def size(self) -> Triple:
        """Depth, height and width of this grid."""
        return (self.bands[0].shape[1], self.bands[1].shape[1], self.bands[2].shape[1])

    @property
    def order(self) -> list[int]:
        """The layer's atoms in the order of `leaves`."""
        return [self.atoms[n] for n in self.tree.order]

    def pairs(self, x: Tensor) -> Tensor:
        """Filter volumes (C, D, H, W) along z and y: (K, C, W, D' H')."""
        channels, _, height, width = x.shape
        high, long = self.bands[0].shape[1], self.bands[1].shape[1]
        # The channels between y and x come first after two passes, and one product does each.
        leading = x.permute(1, 2, 0, 3).reshape(1, x.shape[1], -1)
        maps = x.new_empty(len(self.tree.pairs), channels * width * high, long)
        for z in sorted({z for z, _ in self.tree.pairs}):
            along_z = filter_leading(leading, self.bands[0][z]).view(1, height, -1)
            for k, pair in enumerate(self.tree.pairs):
                if pair[0] == z:
                    filter_leading(along_z, self.bands[1][pair[1]], maps[k : k + 1])
        return maps.view(-1, channels, width, high * long)

    def unpairs(self, maps: Tensor, size: Sequence[int]) -> Tensor:
        """Apply the adjoint of `pairs`: (K, C, W, D' H') to volumes (C, D, H, W)."""
        channels = maps.shape[1]
        depth, height, width = size
        high, long = self.bands[0].shape[1], self.bands[1].shape[1]
        total = maps.new_empty(depth, height * channels * width)
        along_z = maps.new_empty(height, channels * width * high)
        for number, z in enumerate(sorted({z for z, _ in self.tree.pairs})):
            members = [(k, y) for k, (first, y) in enumerate(self.tree.pairs) if first == z]
            for k, y in members:
                beta = 0 if k == members[0][0] else 1
                along_z.addmm_(self.bands[1][y].T, maps[k].view(-1, long).T, beta=beta)
            total.addmm_(self.bands[0][z].T, along_z.view(-1, high).T, beta=0 if number == 0 else 1)
        return total.view(depth, height, channels, width).permute(2, 0, 1, 3)

    def leaves(self, pairs: Tensor, out: Tensor | None = None) -> Tensor:
        """Filter pair maps along x too: (N, C, V), atoms in `order`; into `out` if given."""
        channels, width, rows = pairs.shape[1:]
        wide = self.bands[2].shape[1]
        maps = pairs.new_empty(len(self.atoms), channels, rows * wide) if out is None else out
        each = maps.view(-1, rows, wide)
        done = 0
        for last in self.tree.lasts:
            members = pairs[last.start : last.stop].view(-1, width, rows)
            filter_leading(members, self.bands[2][last.profile], each[done : done + len(members)])
            done += len(members)
        return maps

    def unleaves(self, maps: Tensor) -> Tensor:
        """Apply the adjoint of `leaves`: (N, C, V) to pair maps (K, C, W, D' H')."""
        channels, wide = maps.shape[1], self.bands[2].shape[1]
        width = self.bands[2].shape[2]
        rows = maps.shape[2] // wide
        pairs = maps.new_zeros(len(self.tree.pairs), channels, width, rows)
        done = 0
        for last in self.tree.lasts:
            count = last.stop - last.start
            members = maps[done : done + count].reshape(-1, rows, wide)
            spread = unfilter_trailing(members, self.bands[2][last.profile])
            pairs[last.start : last.stop] += spread.view(count, channels, width, rows)
            done += count
        return pairs

    def lift(self, maps: Tensor) -> Tensor:
        """Interpolate volumes (M, V) of this grid to the output grid, shape (M, V')."""
        if self.lifts is None:
            return maps
        count = len(maps)
        for lift in self.lifts:
            maps = filter_leading(maps.reshape(count, lift.shape[1], -1), lift)
        return maps.reshape(count, -1)

    def unlift(self, maps: Tensor) -> Tensor:
        """Apply the adjoint of `lift`."""
        if self.lifts is None:
            return maps
        count = len(maps)
        for lift in reversed(self.lifts):
            maps = unfilter_trailing(maps.reshape(count, -1, lift.shape[0]), lift)
        return maps.reshape(count, -1)
