"""Separable atoms on volumes by PyTorch's own convolutions, differentiable any number of times.

Exact as the banded products of `structnets.nn._volume_mixing`, and slower; the maps of all atoms
are kept. It serves tracing, functional transforms and second derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._convolution_arguments import Triple
from structnets.nn._exact_products import exact_product
from structnets.nn._modes import LOW, autocast_dtype, without_autocast


@dataclass(frozen=True)
class SeparableVolumes:
    """The profiles along z, y and x, each (P, K), what atoms are made of them, and geometry."""

    profiles: tuple[Tensor, ...]
    factors: tuple[Triple, ...]
    stride: Triple
    padding: Triple
    dilation: Triple
    groups: int


def compose(alpha: Tensor, atoms: SeparableVolumes) -> Tensor:
    """Mix the atoms into dense filters, shape (O, I / groups, J, K, L), rounded once."""
    exact = torch.float32 if alpha.dtype in LOW else alpha.dtype
    columns = zip(*atoms.factors, strict=True)
    with without_autocast(alpha.device.type):
        z, y, x = (
            profiles.to(exact)[list(column)]
            for profiles, column in zip(atoms.profiles, columns, strict=True)
        )
        dense = torch.einsum("nz,ny,nx->nzyx", z, y, x)
    return exact_product(alpha, dense.flatten(1)).unflatten(2, dense.shape[1:])


def filter_and_mix(x: Tensor, alpha: Tensor, atoms: SeparableVolumes) -> Tensor:
    """Filter volumes (B, C, D, H, W) with every atom and mix: (B, O, D', H', W')."""
    z_used = sorted({z for z, _, _ in atoms.factors})
    pairs = sorted({(z, y) for z, y, _ in atoms.factors})
    lines = x.reshape(-1, 1, *x.shape[2:])
    along_z = _pass(lines, atoms, 0, z_used, [0] * len(z_used))
    along_y = _pass(along_z, atoms, 1, [y for _, y in pairs], [z_used.index(z) for z, _ in pairs])
    along_x = _pass(
        along_y, atoms, 2, [x for *_, x in atoms.factors],
        [pairs.index((z, y)) for z, y, _ in atoms.factors],
    )  # fmt: skip
    maps = along_x.reshape(-1, x.shape[1] * len(atoms.factors), *along_x.shape[2:])
    return functional.conv3d(maps, alpha.flatten(1)[..., None, None, None], groups=atoms.groups)


def _pass(
    maps: Tensor, atoms: SeparableVolumes, axis: int, profiles: list[int], sources: list[int]
) -> Tensor:
    """Filter along an axis: map `sources[i]` with profile `profiles[i]`."""
    weight = atoms.profiles[axis][profiles]
    # Autocast casts both; a cast of the weights alone would be all that `torch.export` records.
    if autocast_dtype(maps.device.type) is None:
        weight = weight.to(maps.dtype)
    shape = [len(profiles), 1, 1, 1, 1]
    shape[2 + axis] = weight.shape[1]
    stride, padding, dilation = [1, 1, 1], [0, 0, 0], [1, 1, 1]
    stride[axis], padding[axis] = atoms.stride[axis], atoms.padding[axis]
    dilation[axis] = atoms.dilation[axis]
    gathered = maps[:, sources]
    return functional.conv3d(
        gathered, weight.view(shape), None, stride, padding, dilation, len(profiles)
    )
