"""`GaussianConv3d`: structured receptive fields on volumes, at a cost that no scale changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from structnets.bases.discretisation import Discretisation
from structnets.bases.gaussian import Norm
from structnets.nn._bounded_cache import BoundedCache
from structnets.nn._checked_tensors import check_tensors
from structnets.nn._convolution_arguments import (
    PaddingMode,
    Triple,
    batched,
    per_axis,
    refuse_positions,
)
from structnets.nn._gaussian_convolution import GaussianConvolution
from structnets.nn._grouped import by_group
from structnets.nn._making_grids import make_grids
from structnets.nn._modes import LOW, as_autocast, needs_plain_operations, without_autocast
from structnets.nn._separable_volumes import SeparableVolumes, compose, filter_and_mix
from structnets.nn._volume_grid import VolumeGrid
from structnets.nn._volume_mixing import FilterAndMix, mixes_pairs, mixing_matrix

# The most numbers that a dense kernel, or the dense basis, may hold (1 GiB in float32).
MOST_KERNEL_NUMBERS = 2**28


class GaussianConv3d(GaussianConvolution[Triple]):
    """Structured receptive fields in 3-D (thesis section 3.4.4): drop-in for ``nn.Conv3d``.

    The filter from input i to output o is ``sum_n alpha[o, i, n] phi_n`` with fixed Gaussian
    derivatives phi and learned alpha. It is evaluated exactly by separable passes, each a product
    with a banded matrix: sigma 16 costs what sigma 1 does, and atoms share passes. Filtered maps
    are not kept for the backward pass but computed again, volume by volume.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels; all other arguments are given by name.
    order : int
        Highest total order of the derivatives.
    sigmas : float or sequence of float
        Scales in voxels, ascending.
    kernel_size : int or (z, y, x), optional
        Odd support; by default 2 ceil(3 max(sigmas)) + 1.
    stride : int or (z, y, x)
        As in ``nn.Conv3d``.
    padding : int, (z, y, x), or {'same', 'valid', 'full'}
        Padding; ``same``, the default, pads by half the support (also with a stride).
    dilation, groups, bias, padding_mode, device, dtype
        As in ``nn.Conv3d``.
    norm : {'scale', 'none'}
        Normalisation of the atoms, see `structnets.bases.gaussian`.
    coarse : float, optional
        Compute the answers of scale sigma only every ``coarse * sigma`` voxels (where that is two
        or more) and interpolate the mixed maps. At .5 the relative error of a large scale's
        atom on white noise is 1e-4 with a support of five sigma, and up to 5 % with the default
        of three, whose cut edges a coarse grid does not follow; at 1 it is 6 to 13 %.
        That holds with ``padding="same"`` and no dilation: answers beyond the borders of volumes
        smaller than the support, and of spread filters, may be wrong altogether in single
        precision; use None there. `collapse()` and `kernel()` are those of None.
    discretisation : {'sampled', 'integrated', 'hybrid', 'hybrid_integrated'}
        How derivatives become taps, see `structnets.bases.discretisation`.

    Attributes
    ----------
    alpha : Parameter, shape (out_channels, in_channels / groups, atoms)
        The learned weights.

    Raises
    ------
    TypeError
        If more than the channels is given by position, as one would to ``nn.Conv3d``.
    ValueError
        If an argument is out of its range.

    Limits
    ------
    Traced (``torch.compile``, ``torch.export``, ONNX, ``torch.fx``), under functional transforms
    and for second derivatives the passes are ordinary convolutions, whose maps are kept; a layer
    with `coarse` cannot be evaluated so and says so, and its `collapse()` and `kernel()` are those
    of the layer without. An infinite or missing (NaN) voxel makes answers NaN along its whole rows,
    farther than the filters reach.

    Examples
    --------
    >>> import torch
    >>> from structnets.nn import GaussianConv3d
    >>> layer = GaussianConv3d(1, 4, order=1, sigmas=(1.0, 2.0), stride=2)
    >>> layer(torch.zeros(2, 1, 9, 11, 9)).shape
    torch.Size([2, 4, 5, 6, 5])
    """

    profiles_z: Tensor
    profiles_y: Tensor
    profiles_x: Tensor
    axes = "zyx"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *positions: Any,
        order: int = 3,
        sigmas: float | Sequence[float] = (1.0,),
        kernel_size: int | Triple | None = None,
        stride: int | Triple = 1,
        padding: int | Triple | str = "same",
        dilation: int | Triple = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: PaddingMode = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        norm: Norm = "scale",
        coarse: float | None = None,
        discretisation: Discretisation = "sampled",
    ) -> None:
        refuse_positions("GaussianConv3d", "nn.Conv3d", positions)
        if coarse is not None and not coarse > 0:
            raise ValueError(f"coarse must be > 0 or None, got {coarse}")
        if coarse is not None and set(per_axis("dilation", dilation, 3)) != {1}:
            raise ValueError(
                f"coarse needs dilation=1, got {dilation}: answers of spread filters are not smooth"
            )
        basis, geometry = (order, sigmas, kernel_size), (stride, padding, dilation, groups)
        kind = (padding_mode, norm, discretisation)
        super().__init__(in_channels, out_channels, *basis, *geometry, *kind)
        self.coarse = coarse
        self._grids: BoundedCache[list[VolumeGrid]] = BoundedCache(_tensors_of)
        self.register_constants(device, dtype)
        self.make_weights(len(self.basis), bias, device, dtype)
        self.reset_parameters()

    def energy(self) -> float:
        """Return the sum of the squared taps of all atoms, none of which is made."""
        norms = [(basis.profiles**2).sum(1) for basis in self.bases]
        of_atoms = [n[f] for n, f in zip(norms, self.basis.factors.T, strict=True)]
        return float(np.prod(np.stack(of_atoms, 1), axis=1).sum())

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Parameters
        ----------
        x : Tensor, shape (B, in_channels, D, H, W) or (in_channels, D, H, W)
            Volumes.

        Returns
        -------
        Tensor, shape (B, out_channels, D', H', W') or (out_channels, D', H', W')
        """
        if isinstance(x, torch.fx.Proxy):
            return self._with_bias(self._filtered(x))
        x, single = batched(x, self.in_channels, "D, H, W")
        out = self._with_bias(self._filtered(x))
        return out[0] if single else out

    def _filtered(self, x: Tensor) -> Tensor:
        check_tensors(self, x, self.alpha)
        x = self.padded(x)
        if needs_plain_operations(x):
            self._refuse_coarse()
            return filter_and_mix(x, self.alpha, self._separable())
        # Sums over many voxels need the alphas' precision, so autocast stays out.
        with without_autocast(x.device.type):
            exact = torch.float32 if self.alpha.dtype in LOW else self.alpha.dtype
            out = by_group(self._mixed, x.to(exact), self.alpha.to(exact), self.groups)
        return as_autocast(out.to(self.alpha.dtype))

    def _mixed(self, x: Tensor, alpha: Tensor) -> Tensor:
        """Filter and mix the channels of one group."""
        outputs, inputs, atoms = alpha.shape
        early = mixes_pairs(inputs, outputs, atoms, len({x for _, _, x in self._factors}))
        size = self.output_size(x.shape[2:])
        if min(size) < 1:
            raise ValueError(
                f"volumes of {tuple(x.shape[2:])}, padding included, are smaller than the filters, "
                f"{self.kernel_size}"
            )
        whole = self.coarse is None
        separable = self._separable(groups=1) if whole else None
        grids = self._grids_of(x.shape[2:], alpha.dtype)
        out = FilterAndMix.apply(x, alpha, grids, size, early, separable)
        assert isinstance(out, Tensor)
        return out

    def _with_bias(self, out: Tensor) -> Tensor:
        if self.bias is None:
            return out
        bias = self.bias[:, None, None, None].to(out.dtype)
        plain = needs_plain_operations(out) or type(out) is not Tensor
        return out + bias if plain else out.add_(bias)

    def _separable(self, groups: int | None = None) -> SeparableVolumes:
        """Return what the evaluation by ordinary convolutions needs."""
        return SeparableVolumes(
            self.profiles(),
            self._factors,
            self.stride,
            self.zero_padding,
            self.dilation,
            self.groups if groups is None else groups,
        )

    def _refuse_coarse(self) -> None:
        if self.coarse is not None:
            raise RuntimeError(
                f"a GaussianConv3d with coarse={self.coarse} has no form in PyTorch's own "
                "operations, which tracing and functional transforms need: build it with "
                "coarse=None"
            )

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
        x, _ = batched(x, self.in_channels, "D, H, W")
        if self.groups > 1 or self.padding_mode != "zeros":
            raise ValueError("responses() needs groups=1 and padding_mode='zeros'")
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

    def grids(self, size: Sequence[int]) -> list[VolumeGrid]:
        """Return the matrices for volumes of `size`, kept for the sizes met last."""
        return self._grids_of(size, self.alpha.dtype)

    def _grids_of(self, size: Sequence[int], dtype: torch.dtype) -> list[VolumeGrid]:
        def make() -> list[VolumeGrid]:
            geometry = (size, self.stride, self.zero_padding, self.dilation)
            lines = list(zip(*geometry, strict=True))
            return make_grids(self.bases, lines, self.coarse, dtype, self.alpha.device)

        return self._grids.get((*size, dtype, self.alpha.device), make)

    def kernel(self) -> Tensor:
        """Return the effective filters on the voxel grid, shape (O, I / groups, J, K, L).

        Raises
        ------
        ValueError
            If they, or the dense basis, would hold more than 2^28 numbers.
        """
        filters = max(self.out_channels * self.in_channels // self.groups, len(self.basis))
        numbers = filters * math.prod(self.kernel_size)
        if numbers > MOST_KERNEL_NUMBERS:
            raise ValueError(
                f"a dense kernel of width {max(self.kernel_size)} would hold {numbers:,} numbers, "
                f"more than {MOST_KERNEL_NUMBERS:,}: use the layer as it is, or a smaller "
                "kernel_size"
            )
        return compose(self.alpha, self._separable())

    def extra_repr(self) -> str:
        """Describe the layer in one line."""
        return f"{super().extra_repr()}, coarse={self.coarse}"

    def _apply(self, fn: Any, recurse: bool = True) -> Any:
        self._grids.clear()
        return super()._apply(fn, recurse)


def _tensors_of(grids: list[VolumeGrid]) -> list[Tensor]:
    return [t for grid in grids for t in (*grid.bands, *(grid.lifts or ()))]
