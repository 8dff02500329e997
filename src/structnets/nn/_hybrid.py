"""Convolutions with hybrid Gaussian derivatives: smoothing once a scale, then few taps.

The filters of `structnets.bases.discretisation`'s hybrid kind are differences of a smoothed
image, so that three ways lead to ``out = sum alpha phi_n * x``:

=============  =============================================================================
``pieces``     smooth, take all differences and mix them, an image at a time
               (`structnets.nn._pieces`); only the input is kept for the backward pass
``stencils``   smooth, then one convolution with the alphas composed into 3 x 3 or 5 x 5 taps;
               PyTorch's own operations throughout
``responses``  smooth and take the differences in single precision (in double that of maps in
               double), then mix by a 1 x 1 convolution in half precision
=============  =============================================================================

Differences of order n at scale sigma magnify the rounding of the smoothed maps by up to
(2 sigma)^n. Where that would be seen (`Hybrid.differences_lose`), filters are applied whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from structnets.bases.discretisation import Float, central_difference, difference_reach
from structnets.bases.gaussian import GaussianBasis
from structnets.nn import _recorded_smoothing
from structnets.nn._banded import map_size
from structnets.nn._convolution_arguments import Pair
from structnets.nn._filter_matrices import Band, BandedFilters, DenseFilters, dense_filters, is_tiny
from structnets.nn._grouped import by_group
from structnets.nn._hybrid_tensors import HybridTensors
from structnets.nn._modes import is_traced, without_autocast
from structnets.nn._pieces import filter_and_mix
from structnets.nn._smoothed_differences import SmoothedDifferences
from structnets.nn._toeplitz import correlation_matrices

WAYS = ("pieces", "stencils", "responses")
MOST_MAGNIFIED = 40.0
"""Magnified rounding stays below some 1e-5 of the output up to here (order 2: sigma 4)."""
# Rows of fewer samples are too short for differences by slices.
SHORTEST_ROW = 9


@dataclass(frozen=True, eq=False)
class Hybrid:
    """What the evaluation of one layer needs besides tensors.

    Parameters
    ----------
    basis : GaussianBasis
        A hybrid one.
    kernel_size, stride, padding, dilation : pair of int
        Of the whole filters, along y and x; padding is with zeros.
    groups : int
        As in ``nn.Conv2d``.
    largest : float
        The largest scale that may be met, which decides whether differences lose digits.

    Attributes
    ----------
    reach : int
        Pixels to either side that differences read.
    orders, total_orders : tuple
        Orders of every atom along x and y, and their sums.
    scale_of : tuple of int
        Index of every atom's scale.
    differences : ndarray, shape (N, k, k)
        The central differences of every atom, k = 2 reach + 1.
    halves : ndarray, shape (N,)
        What differences with whole numbers as taps lack.
    sizes : tuple of float
        Norms of the differences.
    magnified : float
        By how much differences at the largest scale magnify the rounding of smoothed maps.
    """

    basis: GaussianBasis
    kernel_size: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    largest: float
    reach: int = field(init=False)
    orders: tuple[Pair, ...] = field(init=False)
    total_orders: tuple[int, ...] = field(init=False)
    scale_of: tuple[int, ...] = field(init=False)
    differences: Float = field(init=False)
    halves: Float = field(init=False)
    sizes: tuple[float, ...] = field(init=False)
    magnified: float = field(init=False)

    def __post_init__(self) -> None:
        """Work out what the basis implies, at once: a traced call cannot."""
        orders = [(a.exponents[0], a.exponents[1]) for a in self.basis.atoms]
        reach = difference_reach(self.basis.order)
        along = [_padded(central_difference(n), reach) for n in range(self.basis.order + 1)]
        differences = np.stack([np.outer(along[y], along[x]) for x, y in orders])
        sizes = np.linalg.norm(differences.reshape(len(differences), -1), axis=1)
        implied = {
            "reach": reach,
            "orders": tuple(orders),
            "total_orders": tuple(x + y for x, y in orders),
            "scale_of": tuple(self.basis.sigmas.index(a.sigma) for a in self.basis.atoms),
            "differences": differences,
            "halves": np.array([0.5 ** (x % 2 + y % 2) for x, y in orders]),
            "sizes": tuple(sizes.tolist()),
        }
        for name, value in implied.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "magnified", self.magnified_at(self.largest))

    def magnified_at(self, sigma: float) -> float:
        """Return by how much differences at a scale magnify the rounding of smoothed maps."""
        pairs = zip(self.sizes, self.total_orders, strict=True)
        return max(size * max(1.0, sigma) ** order for size, order in pairs)

    def differences_lose(self, dtype: torch.dtype, sigma: float | None = None) -> bool:
        """Say whether differences magnify rounding beyond what results are promised to hold.

        At a given scale; by default at the largest that may be met.
        """
        magnified = self.magnified if sigma is None else self.magnified_at(sigma)
        return dtype == torch.float32 and magnified > MOST_MAGNIFIED

    def filtering(self, x: Tensor, outputs: int, sigma: float | None = None) -> str:
        """Return how `pieces` filters maps for so many outputs: dense, banded or differences."""
        if is_tiny(x.shape[2:], outputs):
            return "dense"
        if self.differences_lose(x.dtype, sigma) or x.shape[3] < SHORTEST_ROW:
            return "banded"
        return "differences"

    def output_size(self, x: Tensor) -> Pair:
        """Return height and width of the output."""
        geometry = (self.kernel_size, self.stride, self.padding, self.dilation)
        return map_size(x.shape[-2:], *geometry)

    def stencils(self, x: Tensor, alpha: Tensor, atoms: HybridTensors) -> Tensor:
        """Smooth maps (B, C, H, W), then convolve once with composed taps."""
        scaled = self._scaled(alpha, atoms.powers)
        maps, taps = [], []
        for scale, smoothed in enumerate(self._smoothed(x, atoms.smoothing)):
            maps.append(smoothed)
            members = [n for n, s in enumerate(self.scale_of) if s == scale]
            chosen = scaled if len(members) == scaled.shape[2] else scaled[:, :, members]
            taps.append(torch.matmul(chosen, atoms.differences[members].flatten(1)))
        weight = torch.cat(taps, 1).unflatten(2, atoms.differences.shape[1:])
        return functional.conv2d(
            self._beside(maps), weight, None, self.stride, 0, self.dilation, self.groups
        )

    def responses(
        self, x: Tensor, alpha: Tensor, atoms: HybridTensors, precision: torch.dtype
    ) -> Tensor:
        """Filter in single precision, or double if the maps are, then mix in another."""
        with without_autocast(x.device.type):
            exact = x if x.dtype == torch.float64 else x.float()
            # Powers go to the maps: rounded to half precision, large ones would be the weights'.
            maps = self._responses(exact, atoms)
            weights = alpha.to(precision)
        maps = self._beside(maps.to(precision).unbind(1))
        return functional.conv2d(maps, weights.mT.flatten(1)[:, :, None, None], groups=self.groups)

    def _responses(self, x: Tensor, atoms: HybridTensors) -> Tensor:
        """Filter maps with every atom: (B, N, C, V, U)."""
        powers = atoms.powers.to(x.dtype)[:, None, None, None]
        if is_traced(x):
            maps = _recorded_smoothing.differences(
                self._smoothed(x, atoms.smoothing),
                self.scale_of,
                atoms.differences,
                self.stride,
                self.dilation,
            )
            return torch.stack(maps, 1) * powers
        matrices = [m for pair in self._smoothing_matrices(x, atoms.smoothing) for m in pair]
        filtering = self._smoothed_differences(x)
        maps = filtering.all_maps(x, matrices).unflatten(1, (filtering.count, -1))
        return maps * (powers * atoms.halves.to(x.dtype)[:, None, None, None])

    def _smoothed(self, x: Tensor, smoothing: tuple[Tensor, Tensor]) -> list[Tensor]:
        """Return maps smoothed at every scale."""
        if is_traced(x):
            return _recorded_smoothing.smoothed(x, smoothing, self.padding, self.dilation)
        return [
            torch.matmul(torch.matmul(along_y, x), along_x.mT)
            for along_y, along_x in self._smoothing_matrices(x, smoothing)
        ]

    def pieces(self, x: Tensor, alpha: Tensor, atoms: HybridTensors) -> Tensor:
        """Filter and mix an image and a group at a time; one smoothing for all channels."""
        return by_group(
            lambda maps, weights: self._pieces(maps, weights, atoms), x, alpha, self.groups
        )

    def _pieces(self, x: Tensor, alpha: Tensor, atoms: HybridTensors) -> Tensor:
        sigma = None if atoms.scales is None else float(atoms.scales.detach().max())
        size, kind = self.output_size(x), self.filtering(x, len(alpha), sigma)
        factors = tuple((int(y), int(x)) for y, x in self.basis.factors)
        if kind == "dense":
            matrix = dense_filters(*self._filter_matrices(x, atoms), factors)
            dense = DenseFilters(len(factors), size)
            return filter_and_mix(x, alpha.flatten(1), dense, [matrix])
        if kind == "banded":
            geometry = (self.kernel_size, self.stride, self.padding, self.dilation)
            y, x_ = (Band(*axis) for axis in zip(x.shape[2:], *geometry, strict=True))
            banded = BandedFilters(factors, size, (y, x_))
            weights, matrices = alpha, self._filter_matrices(x, atoms)
            return filter_and_mix(x, weights.mT.flatten(1), banded, matrices)
        matrices = [m for pair in self._smoothing_matrices(x, atoms.smoothing) for m in pair]
        weights = (alpha * (atoms.powers * atoms.halves)).mT.flatten(1)
        filtering = self._smoothed_differences(x)
        if atoms.rates is not None and atoms.scales is not None and atoms.scales.requires_grad:
            with torch.no_grad():
                pairs = self._smoothing_matrices(x, atoms.rates)
            filtering = dataclasses.replace(filtering, rates=tuple(m for p in pairs for m in p))
            return filter_and_mix(x, weights, filtering, matrices, atoms.scales)
        return filter_and_mix(x, weights, filtering, matrices)

    def _scaled(self, alpha: Tensor, powers: Tensor) -> Tensor:
        """Multiply weights (O, C / groups, N) by powers (N,) or (C, N)."""
        if powers.ndim == 1:
            return alpha * powers
        grouped = alpha.unflatten(0, (self.groups, -1))
        return (grouped * powers.unflatten(0, (self.groups, 1, -1))).flatten(0, 1)

    def _smoothing_matrices(
        self, x: Tensor, smoothing: tuple[Tensor, Tensor]
    ) -> list[tuple[Tensor, Tensor]]:
        """Return the smoothing of every scale as matrices along y and x."""
        y, x_ = list(zip(smoothing, x.shape[2:], self.padding, self.dilation, strict=True))
        along_y = self._smoothing_along(*y, x.dtype)
        alike = y[0] is x_[0] and y[1:] == x_[1:]
        along_x = along_y if alike else self._smoothing_along(*x_, x.dtype)
        return list(zip(along_y, along_x, strict=True))

    @staticmethod
    def _smoothing_along(
        weights: Tensor, length: int, padding: int, dilation: int, dtype: torch.dtype
    ) -> tuple[Tensor, ...]:
        return correlation_matrices(weights.to(dtype), length, padding, 1, dilation).unbind(-3)

    def _filter_matrices(self, x: Tensor, atoms: HybridTensors) -> tuple[Tensor, Tensor]:
        """Return the whole filters as matrices (P, V, H) along y and (P, U, W) along x."""
        along_y, along_x = (
            correlation_matrices(profiles, length, padding, stride, dilation)
            for profiles, length, padding, stride, dilation in zip(
                atoms.profiles(),
                x.shape[2:],
                self.padding,
                self.stride,
                self.dilation,
                strict=True,
            )
        )
        return along_y, along_x

    def _smoothed_differences(self, x: Tensor) -> SmoothedDifferences:
        scales = tuple(
            tuple((n, self.orders[n]) for n, s in enumerate(self.scale_of) if s == scale)
            for scale in range(len(self.basis.sigmas))
        )
        return SmoothedDifferences(
            scales, self.output_size(x), self.stride, self.dilation, self.reach
        )

    def _beside(self, maps: Sequence[Tensor]) -> Tensor:
        """Put several maps of all channels beside each other, within each group."""
        if len(maps) == 1:
            return maps[0]
        if self.groups == 1:
            return torch.cat(list(maps), 1)
        grouped = [m.unflatten(1, (self.groups, -1)) for m in maps]
        return torch.cat(grouped, 2).flatten(1, 2)


def _padded(taps: Float, reach: int) -> Float:
    return np.pad(taps, reach - len(taps) // 2)
