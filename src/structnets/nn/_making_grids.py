"""The matrices of a Gaussian basis for volumes of a size, on one grid or several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from structnets.bases.gaussian import GaussianBasis
from structnets.nn._banded import banded_matrices
from structnets.nn._coarse_grid import coarse_positions, interpolation
from structnets.nn._convolution_arguments import Triple
from structnets.nn._volume_grid import PassTree, VolumeGrid


def make_grids(
    bases: Sequence[GaussianBasis],
    lines: Sequence[tuple[int, int, int, int]],
    coarse: float | None,
    dtype: torch.dtype,
    device: torch.device,
) -> list[VolumeGrid]:
    """Make the matrices that evaluate all atoms, those of scales with the same step together.

    Parameters
    ----------
    bases : three GaussianBasis
        Whose profiles serve z, y and x.
    lines : three tuples of int
        Samples along each axis, stride, zero padding and dilation.
    coarse : float, optional
        Step of the answers of a scale, in sigma of the input.
    """
    stride = max(step for _, step, *_ in lines)
    steps: dict[int, list[int]] = {}
    for i, sigma in enumerate(bases[0].sigmas):
        step = int((coarse or 0) * sigma / stride)
        if i in bases[0].factors[:, 0] // (bases[0].order + 1):  # of order 0 one scale is left
            steps.setdefault(step if step >= 2 else 1, []).append(i)
    return [_grid(bases, lines, scales, step, dtype, device) for step, scales in steps.items()]


def _grid(
    bases: Sequence[GaussianBasis],
    lines: Sequence[tuple[int, int, int, int]],
    scales: Sequence[int],
    step: int,
    dtype: torch.dtype,
    device: torch.device,
) -> VolumeGrid:
    """Make the matrices of the atoms of some scales on a grid of a step."""
    per_scale = bases[0].order + 1
    factors = bases[0].factors
    atoms = [n for n, f in enumerate(factors) if f[0] // per_scale in scales]
    kept = [i * per_scale + n for i in scales for n in range(per_scale)]
    place = {profile: i for i, profile in enumerate(kept)}
    places: list[Triple] = [(place[z], place[y], place[x]) for z, y, x in factors[atoms].tolist()]
    bands, lifts = [], []
    for basis, line in zip(bases, lines, strict=True):
        fine = banded_matrices(_without_tails(basis.profiles[kept], dtype), *line)
        positions = coarse_positions(fine.shape[1], step)
        bands.append(fine[:, positions].to(device, dtype))
        if step > 1:
            lifts.append(interpolation(fine, positions).to(device, dtype))
    tree = PassTree(places, per_scale)
    return VolumeGrid(tuple(atoms), tree, tuple(bands), tuple(lifts) or None)  # type: ignore[arg-type]


def _without_tails(profiles: np.ndarray, dtype: torch.dtype) -> Tensor:
    """Return profiles (P, K) in float64, zero where they are below rounding.

    On a support made for sigma 16 the tails of sigma 1 are subnormal numbers, whose products take
    ten times as long.
    """
    exact = torch.tensor(profiles, device="cpu")
    largest = exact.abs().amax(1, keepdim=True)
    negligible = exact.abs() < 0.01 * torch.finfo(dtype).eps * largest
    return exact.masked_fill(negligible, 0.0)
