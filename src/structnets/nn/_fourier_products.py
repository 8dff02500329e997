"""Convolutions of wide filters as products in the Fourier domain, made of matrix products only.

A map of h pixels a side that meets a filter of k is periodic without harm from h + k - 1 on. Of so
short signals a transform is a small matrix, and its product with all maps leaves the frequencies in
front, where the channels are mixed by one matrix product each. With X and W the transforms of maps
and filters, Y = X conj(W); the gradients are G W and conj(G) X.

Legend: B batch, C and O channels, F frequencies of a real signal (a half), P pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

Pair = tuple[int, int]


@dataclass(frozen=True)
class Transform:
    """Matrices between pixels and frequencies of a periodic plane.

    Parameters
    ----------
    forward : Tensor, shape (2 F, P)
        Real parts, then imaginary ones, of all frequencies.
    inverse : Tensor, shape (P, 2 F)
        Back to the same pixels.
    """

    forward: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, period: Pair, starts: Pair, size: Pair, like: Tensor) -> Transform:
        """Build the matrices for pixels from `starts` on, in the precision of a tensor."""
        angles = []
        for length, start, count in zip(period, starts, size, strict=True):
            places = torch.arange(start, start + count, dtype=torch.float64)
            turns = torch.outer(torch.arange(length, dtype=torch.float64), places)
            angles.append(2 * math.pi * (turns % length) / length)
        half = period[1] // 2 + 1
        both = angles[0][:, None, :, None] + angles[1][None, :half, None, :]
        theta = both.reshape(period[0] * half, size[0] * size[1])
        # Frequencies that stand for their conjugates, too, count twice.
        columns = torch.full((half,), 2.0, dtype=torch.float64)
        columns[0] = 1
        if period[1] % 2 == 0:
            columns[-1] = 1
        weight = columns.repeat(period[0])[:, None] / (period[0] * period[1])
        forward = torch.cat([theta.cos(), -theta.sin()])
        inverse = torch.cat([weight * theta.cos(), -weight * theta.sin()]).T.contiguous()
        return cls(forward.to(like), inverse.to(like))

    def to_frequencies(self, maps: Tensor) -> Tensor:
        """Transform maps (B, C, H, W): real and imaginary parts (2, F, B, C)."""
        batch, channels = maps.shape[:2]
        found = self.forward @ maps.reshape(batch * channels, -1).T
        return found.view(2, -1, batch, channels)

    def to_pixels(self, spectra: Tensor) -> Tensor:
        """Transform spectra (2, F, B, C) back: maps (B, C, P)."""
        batch, channels = spectra.shape[2:]
        maps = spectra.reshape(self.inverse.shape[1], -1).T @ self.inverse.T
        return maps.view(batch, channels, -1)


@dataclass(frozen=True)
class Plane:
    """The transforms of one convolution, stride 1, of maps, filters and outputs of given sizes."""

    maps: Transform
    filters: Transform
    outputs: Transform
    size: Pair

    @classmethod
    def of(cls, maps: Pair, filters: Pair, padding: Pair, like: Tensor) -> Plane:
        """Build them; zeros on either side are at most the filter less one."""
        period, size = period_of(maps, filters), output_size(maps, filters, padding)
        return cls(
            Transform.of(period, (0, 0), maps, like),
            Transform.of(period, (0, 0), filters, like),
            Transform.of(period, (-padding[0], -padding[1]), size, like),
            size,
        )

    def tensors(self) -> list[Tensor]:
        """Return the matrices."""
        each = (self.maps, self.filters, self.outputs)
        return [matrix for one in each for matrix in (one.forward, one.inverse)]


def times(a: Tensor, b: Tensor, conjugate: bool = False) -> Tensor:
    """Return a b, or a conj(b), of complex matrices (2, F, M, K) and (2, F, K, N)."""
    out = a.new_empty(2, a.shape[1], a.shape[2], b.shape[3])
    (real, imaginary), sign = b, -1 if conjugate else 1
    torch.bmm(a[0], real, out=out[0])
    out[0].baddbmm_(a[1], imaginary, alpha=-sign)
    torch.bmm(a[1], real, out=out[1])
    out[1].baddbmm_(a[0], imaginary, alpha=sign)
    return out


def period_of(maps: Pair, filters: Pair) -> Pair:
    """Return from which size on maps that meet filters are periodic without harm."""
    return maps[0] + filters[0] - 1, maps[1] + filters[1] - 1


def output_size(maps: Pair, filters: Pair, padding: Pair) -> Pair:
    """Return height and width of what a convolution of stride 1 returns."""
    high, wide = period_of(maps, filters)
    return high - 2 * (filters[0] - 1 - padding[0]), wide - 2 * (filters[1] - 1 - padding[1])


def frequencies(maps: Pair, filters: Pair) -> int:
    """Count the real numbers of a transform, two for each frequency."""
    high, wide = period_of(maps, filters)
    return 2 * high * (wide // 2 + 1)


def products(maps: Pair, filters: Pair, output: Pair, batch: int, channels: Pair) -> float:
    """Count the multiplications of a forward pass by way of the frequencies."""
    inputs, outputs = channels
    transforms = (
        math.prod(maps) * batch * inputs
        + math.prod(filters) * inputs * outputs
        + math.prod(output) * batch * outputs
    )
    return frequencies(maps, filters) * (transforms + 2 * batch * inputs * outputs)
