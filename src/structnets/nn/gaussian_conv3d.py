"""`GaussianConv3d`: structured receptive fields on volumes, at a cost that no scale changes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from structnets.bases.gaussian import GaussianBasis, Norm
from structnets.nn.banded import banded_matrices, output_length
from structnets.nn.coarse_grid import coarse_positions, interpolation
from structnets.nn.collapsing import plain_convolution, plain_parameters
from structnets.nn.gaussian_conv import resolve_padding
from structnets.nn.volume_grid import PassTree, Triple, VolumeGrid
from structnets.nn.volume_mixing import FilterAndMix, mixes_pairs, mixing_matrix

# The most numbers that a dense kernel, or the dense basis, may hold (1 GiB in float32).
MOST_KERNEL_NUMBERS = 2**28


class GaussianConv3d(nn.Module):
    """Structured receptive fields in 3-D (thesis section 3.4.4): drop-in for ``nn.Conv3d``.

    The filter from input i to output o is ``sum_n alpha[o, i, n] phi_n`` with fixed Gaussian
    derivatives phi and learned alpha. It is evaluated exactly by separable passes, each a product
    with a banded matrix: sigma 16 costs what sigma 1 does, and atoms share passes. Filtered maps
    are not kept for the backward pass but computed again, volume by volume.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels.
    order : int
        Highest total order of the derivatives.
    sigmas : sequence of float
        Scales in voxels, ascending.
    kernel_size : int, optional
        Odd support; by default 2 ceil(3 max(sigmas)) + 1.
    stride : int or (z, y, x)
        As in ``nn.Conv3d``.
    padding : int, (z, y, x), or {'same', 'valid', 'full'}
        Zero padding; ``same`` pads by half the support (also with a stride).
    bias : bool
        Learn an additive bias.
    norm : {'scale', 'none'}
        Normalisation of the atoms, see `structnets.bases.gaussian`.
    coarse : float, optional
        Compute the answers of scale sigma only every ``coarse * sigma`` voxels (where that is two
        or more) and interpolate the mixed maps. At .5 the relative error of a large scale's
        atom on white noise is 1e-4 with a support of five sigma, and up to 5 % with the default
        of three, whose cut edges a coarse grid does not follow; at 1 it is 6 to 13 %.

    Attributes
    ----------
    alpha : Parameter, shape (out_channels, in_channels, atoms)
        The learned weights.

    Notes
    -----
    Gradients are of first order only: they cannot be differentiated again.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        order: int = 3,
        sigmas: Sequence[float] = (1.0,),
        kernel_size: int | None = None,
        stride: int | Triple = 1,
        padding: int | Triple | str = "same",
        bias: bool = True,
        norm: Norm = "scale",
        coarse: float | None = None,
    ) -> None:
        super().__init__()
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            if value < 1:
                raise ValueError(f"{name} must be >= 1, got {value}")
        if coarse is not None and not coarse > 0:
            raise ValueError(f"coarse must be > 0 or None, got {coarse}")
        self.in_channels, self.out_channels, self.coarse = in_channels, out_channels, coarse
        self.basis = GaussianBasis(order, tuple(sigmas), kernel_size, 3, norm)
        self.kernel_size = 2 * self.basis.radius + 1
        self.stride = _triple(stride)
        named = (
            resolve_padding(padding, self.kernel_size)[0] if isinstance(padding, str) else padding
        )
        self.padding = _triple(named)
        self._factors: list[Triple] = [(int(z), int(y), int(x)) for z, y, x in self.basis.factors]
        self._grids: dict[tuple[object, ...], list[VolumeGrid]] = {}
        self.alpha = nn.Parameter(torch.empty(out_channels, in_channels, len(self.basis)))
        self.bias = nn.Parameter(torch.empty(out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw alpha so that the composed filters have He et al.'s variance; zero the bias."""
        norms = (self.basis.profiles**2).sum(1)
        energy = float(np.prod(norms[self.basis.factors], axis=1).sum())
        nn.init.normal_(self.alpha, std=math.sqrt(2 / (self.in_channels * energy)))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve volumes of shape (B, in_channels, D, H, W): (B, out_channels, D', H', W')."""
        self._check(x)
        size = self.output_size(x.shape[2:])
        early = mixes_pairs(
            self.in_channels,
            self.out_channels,
            len(self._factors),
            len({x for _, _, x in self._factors}),
        )
        # Sums over many voxels need the alphas' precision, so autocast stays out.
        with torch.autocast(x.device.type, enabled=False):
            grids = self.grids(x.shape[2:])
            out = FilterAndMix.apply(x.to(self.alpha.dtype), self.alpha, grids, size, early)
        assert isinstance(out, Tensor)
        return out if self.bias is None else out.add_(self.bias[:, None, None, None])

    def responses(self, x: Tensor) -> tuple[Tensor, ...]:
        """Filter volumes with every atom: what `response_weights` mix, and no weight changes.

        They can be computed once per volume and kept for a whole training when this is the first
        layer.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, D, H, W)
            Volumes.

        Returns
        -------
        tuple of Tensor, shape (B, atoms of the grid * in_channels, D', H', W')
            One tensor per output grid: a single one unless `coarse` is given.
        """
        self._check(x)
        answers = []
        with torch.no_grad():
            for grid in self.grids(x.shape[2:]):
                maps = x.new_empty(len(x), len(grid.atoms), x.shape[1], math.prod(grid.size))
                for one, answer in zip(x, maps, strict=True):
                    grid.leaves(grid.pairs(one), answer)
                answers.append(maps.flatten(1, 2).unflatten(2, grid.size))
        return tuple(answers)

    def response_weights(self, size: Sequence[int]) -> Tensor:
        """Return alpha as the matrix (O, atoms * C) that mixes `responses` to volumes of `size`.

        Raises
        ------
        ValueError
            If `coarse` is given: then the answers are on several grids.
        """
        if self.coarse is not None:
            raise ValueError("a GaussianConv3d with coarse has responses on several grids")
        return mixing_matrix(self.alpha, self.grids(size)[0].order)

    def output_size(self, size: Sequence[int]) -> Triple:
        """Return depth, height and width of the output for an input of `size`."""
        z, y, x = (
            output_length(n, self.kernel_size, s, p)
            for n, s, p in zip(size, self.stride, self.padding, strict=True)
        )
        return z, y, x

    def grids(self, size: Sequence[int]) -> list[VolumeGrid]:
        """Return the matrices for volumes of `size`, made once per size, dtype and device."""
        key = (*size, self.alpha.dtype, self.alpha.device)
        if key not in self._grids:
            steps: dict[int, list[int]] = {}
            for i, sigma in enumerate(self.basis.sigmas):
                step = int((self.coarse or 0) * sigma / max(self.stride))
                steps.setdefault(step if step >= 2 else 1, []).append(i)
            with torch.no_grad():
                self._grids[key] = [
                    self._grid(size, scales, step) for step, scales in steps.items()
                ]
        return self._grids[key]

    def _grid(self, size: Sequence[int], scales: list[int], step: int) -> VolumeGrid:
        """Make the matrices of the atoms of some scales on a grid of a step."""
        per_scale = self.basis.order + 1
        atoms = [n for n, f in enumerate(self._factors) if f[0] // per_scale in scales]
        kept = [i * per_scale + n for i in scales for n in range(per_scale)]
        place = {profile: i for i, profile in enumerate(kept)}
        factors = [tuple(place[p] for p in self._factors[n]) for n in atoms]
        profiles = self._without_tails(kept)
        bands, lifts = [], []
        for length, stride, padding in zip(size, self.stride, self.padding, strict=True):
            fine = banded_matrices(profiles, length, stride, padding)
            positions = coarse_positions(fine.shape[1], step)
            bands.append(fine[:, positions].to(self.alpha))
            if step > 1:
                lifts.append(interpolation(fine, positions).to(self.alpha))
        tree = PassTree(factors, per_scale)  # type: ignore[arg-type]
        return VolumeGrid(tuple(atoms), tree, tuple(bands), tuple(lifts) or None)  # type: ignore[arg-type]

    def _without_tails(self, kept: list[int]) -> Tensor:
        """Return profiles (P, K) in float64, zero where they are below rounding.

        On a support made for sigma 16 the tails of sigma 1 are subnormal numbers, whose products
        take ten times as long.
        """
        profiles = torch.tensor(self.basis.profiles[kept])
        largest = profiles.abs().amax(1, keepdim=True)
        negligible = profiles.abs() < 0.01 * torch.finfo(self.alpha.dtype).eps * largest
        return profiles.masked_fill(negligible, 0.0)

    def kernel(self) -> Tensor:
        """Return the effective filters on the voxel grid, shape (O, I, K, K, K).

        Raises
        ------
        ValueError
            If they, or the dense basis, would hold more than 2^28 numbers.
        """
        filters = max(self.out_channels * self.in_channels, len(self.basis))
        numbers = filters * self.kernel_size**3
        if numbers > MOST_KERNEL_NUMBERS:
            raise ValueError(
                f"a dense kernel of width {self.kernel_size} would hold {numbers:,} numbers, more "
                f"than {MOST_KERNEL_NUMBERS:,}: use the layer as it is, or a smaller kernel_size"
            )
        profiles = torch.tensor(self.basis.profiles).to(self.alpha)
        z, y, x = (profiles[list(column)] for column in zip(*self._factors, strict=True))
        dense = torch.einsum("nz,ny,nx->nzyx", z, y, x)
        return (self.alpha @ dense.flatten(1)).unflatten(2, dense.shape[1:])

    def collapse(self) -> nn.Module:
        """Return an equivalent plain convolution (detached copy of the filters).

        Raises
        ------
        ValueError
            As `kernel`.
        """
        return plain_convolution(self.kernel(), self.bias, self.stride, self.padding)

    def collapsed_parameters(self) -> int:
        """Count the weights of the equivalent plain convolution."""
        size = (self.kernel_size,) * 3
        return plain_parameters(self.out_channels, self.in_channels, size, self.bias is not None)

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return (
            f"{self.in_channels}, {self.out_channels}, order={self.basis.order}, "
            f"sigmas={self.basis.sigmas}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, coarse={self.coarse}"
        )

    def _check(self, x: Tensor) -> None:
        if x.ndim != 5 or x.shape[1] != self.in_channels:
            raise ValueError(
                f"input must have shape (B, {self.in_channels}, D, H, W), got {tuple(x.shape)}"
            )


def _triple(value: int | Triple) -> Triple:
    return (value, value, value) if isinstance(value, int) else (value[0], value[1], value[2])
