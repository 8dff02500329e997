"""The ways to evaluate a convolution whose filters are mixtures of separable atoms.

All compute ``out[b, o] = sum_i sum_n alpha[o, i, n] (phi_n * x[b, i])`` and differ in the order
of the two linear steps, mixing (alpha) and filtering (phi), and in how a filter is applied:

==============  ============================================================================
``depthwise``   filter every input map with every atom, then mix by a 1x1 convolution; the way
                of the thesis (Algorithm 1) and of its released code
``composed``    mix the atoms into filters first, then one ordinary convolution
``separable``   as depthwise, each atom as two 1-D convolutions
``banded``      as separable, each pass a product with a banded matrix
``mixed``       mix the input maps first (out x atom maps), then filter and sum by two products
                with banded matrices; cheapest when the output is larger than the input. Channels
                last throughout: three matrix products and no transposition between them
``fft``         composed filters, product of spectra
==============  ============================================================================

Legend: B batch, I input and O output channels, N atoms, P profiles, Y X map size, V U its output.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn.banded import banded_matrices, output_length

Pair = tuple[int, int]
# Numbers of mixed maps made at a time in inference: 16 MB of float32.
MOST_MIXED = 2**22


@dataclass
class SeparableAtoms:
    """The atoms of a layer as tensors, with the matrices made for the map sizes met so far."""

    kernels: Tensor  # (N, K, K)
    profiles: Tensor  # (P, K)
    factors: tuple[Pair, ...]  # profile of each atom along (y, x)
    stride: Pair
    padding: Pair
    matrices: dict[tuple[object, ...], Tensor] = field(default_factory=dict)

    def bands(self, axis: int, length: int) -> Tensor:
        """Return the banded matrices of all profiles along an axis, shape (P, m, length)."""
        stride, padding = self.stride[axis], self.padding[axis]
        key = (length, stride, padding, self.profiles.dtype, self.profiles.device)
        if key not in self.matrices:
            with torch.no_grad():
                self.matrices[key] = banded_matrices(self.profiles, length, stride, padding)
        return self.matrices[key]

    def output_size(self, height: int, width: int) -> Pair:
        """Return the size of the output map."""
        size = self.profiles.shape[1]
        return (
            output_length(height, size, self.stride[0], self.padding[0]),
            output_length(width, size, self.stride[1], self.padding[1]),
        )


def compose(alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the atoms into filters, shape (O, I, K, K)."""
    count, size, _ = atoms.kernels.shape
    return (alpha @ atoms.kernels.reshape(count, -1)).reshape(*alpha.shape[:2], size, size)


def depthwise(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter each input map with each atom, then mix."""
    inputs = x.shape[1]
    weight = atoms.kernels[:, None].repeat(inputs, 1, 1, 1)
    maps = functional.conv2d(x, weight, None, atoms.stride, atoms.padding, groups=inputs)
    return functional.conv2d(maps, alpha.flatten(1)[..., None, None])


def composed(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the atoms into filters, then convolve once."""
    return functional.conv2d(x, compose(alpha, atoms), None, atoms.stride, atoms.padding)


def separable(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter with 1-D convolutions along x, then along y, then mix."""
    batch, inputs, height, width = x.shape
    rows = x.reshape(batch * inputs, 1, height, width)
    stride, padding = atoms.stride, atoms.padding
    along_x = functional.conv2d(
        rows, atoms.profiles[:, None, None], None, (1, stride[1]), (0, padding[1])
    )
    pairs = torch.tensor(atoms.factors)
    maps = functional.conv2d(
        along_x[:, pairs[:, 1]],
        atoms.profiles[pairs[:, 0]][:, None, :, None],
        None,
        (stride[0], 1),
        (padding[0], 0),
        groups=len(pairs),
    )
    return functional.conv2d(
        maps.reshape(batch, -1, *maps.shape[2:]), alpha.flatten(1)[..., None, None]
    )


def banded(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter by products with banded matrices along x, then y, then mix."""
    batch, inputs, height, width = x.shape
    high, wide = atoms.output_size(height, width)
    bands_y, bands_x = atoms.bands(0, height), atoms.bands(1, width)
    along_x = (x @ bands_x.flatten(0, 1).T).unflatten(3, (-1, wide))  # (B, I, Y, P, U)
    groups = _atoms_by_profile(atoms, axis=1)
    maps = [
        (
            torch.cat([bands_y[atoms.factors[n][0]] for n in members]) @ along_x[:, :, :, profile]
        ).reshape(batch, inputs, len(members), high * wide)
        for profile, members in groups
    ]
    order = [n for _, members in groups for n in members]
    stacked = torch.cat(maps, 2).reshape(batch, -1, high, wide)
    if is_channels_last(x):
        stacked = stacked.contiguous(memory_format=torch.channels_last)
    return functional.conv2d(stacked, alpha[:, :, order].flatten(1)[..., None, None])


def mixed(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the input maps, then filter along x and y by two matrix products that also sum.

    Without gradients a part of the batch at a time, so that the mixed maps, more than the input
    by the number of atoms, stay near the processor.
    """
    outputs, inputs, count = alpha.shape
    mixed_numbers = x.numel() // inputs * outputs * count
    if torch.is_grad_enabled() or mixed_numbers <= MOST_MIXED:
        return _mixed(x, alpha, atoms)
    parts = x.chunk(min(-(-mixed_numbers // MOST_MIXED), x.shape[0]))
    return torch.cat([_mixed(part, alpha, atoms) for part in parts])


def _mixed(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    batch, inputs, height, width = x.shape
    outputs = alpha.shape[0]
    high, wide = atoms.output_size(height, width)
    mixing = alpha.permute(1, 2, 0).reshape(inputs, -1)  # (I, N O)
    pixels = x.permute(0, 2, 3, 1).reshape(-1, inputs)  # (B Y X, I)
    maps = (pixels @ mixing).view(batch * height, -1, outputs)  # (B Y, X N, O)
    along_x = (_summing_x(atoms, width) @ maps).view(batch, -1, wide * outputs)  # (B, Y P, U O)
    along_y = _summing_y(atoms, height) @ along_x  # (B, V, U O)
    return along_y.view(batch, high, wide, outputs).permute(0, 3, 1, 2)


def fft(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Multiply the spectra of the maps and of the composed filters."""
    size = atoms.kernels.shape[-1]
    height, width = x.shape[-2:]
    shape = [_even(height + size - 1), _even(width + size - 1)]
    spectrum = torch.fft.rfft2(x, s=shape)
    filters = torch.fft.rfft2(compose(alpha, atoms).flip(-2, -1), s=shape)
    bins = spectrum.shape[-2:]
    # One (B, I) x (I, O) product per frequency.
    product = spectrum.flatten(2).permute(2, 0, 1) @ filters.flatten(2).permute(2, 1, 0)
    full = torch.fft.irfft2(product.permute(1, 2, 0).unflatten(2, bins), s=shape)
    padded = functional.pad(full[..., : height + size - 1, : width + size - 1], _margins(atoms))
    high, wide = atoms.output_size(height, width)
    stride = atoms.stride
    return padded[..., :: stride[0], :: stride[1]][..., :high, :wide]


WAYS: dict[str, Callable[[Tensor, Tensor, SeparableAtoms], Tensor]] = {
    "depthwise": depthwise,
    "composed": composed,
    "separable": separable,
    "banded": banded,
    "mixed": mixed,
    "fft": fft,
}


def _atoms_by_profile(atoms: SeparableAtoms, axis: int) -> list[tuple[int, list[int]]]:
    """Group the atoms that share a profile along an axis."""
    groups: dict[int, list[int]] = {}
    for n, factors in enumerate(atoms.factors):
        groups.setdefault(factors[axis], []).append(n)
    return sorted(groups.items())


def _summing_x(atoms: SeparableAtoms, width: int) -> Tensor:
    """Return the (P U, X N) matrix that filters atom maps along x and sums those of a profile."""
    key = ("summing x", width, atoms.profiles.dtype, atoms.profiles.device)
    if key not in atoms.matrices:
        bands = atoms.bands(1, width)
        groups = _atoms_by_profile(atoms, axis=0)
        blocks = bands.new_zeros(len(groups), bands.shape[1], width, len(atoms.factors))
        for p, (_, members) in enumerate(groups):
            for n in members:
                blocks[p, :, :, n] = bands[atoms.factors[n][1]]
        atoms.matrices[key] = blocks.flatten(2).flatten(0, 1)
    return atoms.matrices[key]


def _summing_y(atoms: SeparableAtoms, height: int) -> Tensor:
    """Return the (V, Y P) matrix that filters the profiles' maps along y and sums them."""
    key = ("summing y", height, atoms.profiles.dtype, atoms.profiles.device)
    if key not in atoms.matrices:
        bands = atoms.bands(0, height)
        used = [profile for profile, _ in _atoms_by_profile(atoms, axis=0)]
        atoms.matrices[key] = torch.stack([bands[p] for p in used], 2).flatten(1)
    return atoms.matrices[key]


def is_channels_last(x: Tensor) -> bool:
    """Say whether the channels of maps (B, C, H, W) are neighbours in memory."""
    return x.is_contiguous(memory_format=torch.channels_last)


def _even(length: int) -> int:
    return length + length % 2


def _margins(atoms: SeparableAtoms) -> list[int]:
    """Return the padding (negative: crop) from the full correlation to the padded one."""
    y, x = (p - (atoms.kernels.shape[-1] - 1) for p in atoms.padding)
    return [x, x, y, y]
