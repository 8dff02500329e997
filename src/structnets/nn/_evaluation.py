"""The ways to evaluate a convolution whose filters are mixtures of separable atoms.

All compute ``out[b, o] = sum_i sum_n alpha[o, i, n] (phi_n * x[b, i])`` and differ in the order
of the two linear steps, mixing (alpha) and filtering (phi), and in how a filter is applied:

==============  ============================================================================
``depthwise``   filter every input map with every atom, then mix by a 1x1 convolution; the way
                of the thesis (Algorithm 1) and of its released code
``composed``    mix the atoms into filters first, then one ordinary convolution
``relaid``      the same, with maps and filters laid out in memory as the maps are not: channels
                last where they are not, and the other way round
``separable``   as depthwise, each atom as two 1-D convolutions
``banded``      as separable, each pass a product with a banded matrix
``mixed``       mix the input maps first (out x atom maps), then filter and sum by two products
                with banded matrices; cheapest when the output is larger than the input. Channels
                last throughout: three matrix products and no transposition between them
``fft``         composed filters, product of spectra
``pieces``      as banded, but a piece of an image at a time: no response is stored
                (`structnets.nn._pieces`); only the input is kept for the backward pass
==============  ============================================================================

Legend: B batch, I input and O output channels, N atoms, P profiles, Y X map size, V U its output.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from structnets.nn._convolution_arguments import Pair
from structnets.nn._exact_products import exact_product
from structnets.nn._filter_matrices import (
    BandedFilters,
    DenseFilters,
    dense_filters,
    is_tiny,
)
from structnets.nn._grouped import by_group
from structnets.nn._layouts import in_other_layout, is_channels_last
from structnets.nn._modes import LOW
from structnets.nn._pieces import filter_and_mix
from structnets.nn._separable_atoms import SeparableAtoms

# Numbers of mixed maps made at a time in inference: 16 MB of float32.
MOST_MIXED = 2**22


def compose(alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the atoms into filters, shape (O, I / groups, K, L); mixed precision does not reach it.

    In half precision they are mixed in single and rounded once, so that the filters are as exact
    as a plain convolution's weights.
    """
    kernels = atoms.kernels
    return exact_product(alpha, kernels.flatten(1)).unflatten(2, kernels.shape[1:])


def depthwise(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter each input map with each atom, then mix."""
    inputs = x.shape[1]
    weight = atoms.kernels[:, None].repeat(inputs, 1, 1, 1)
    maps = functional.conv2d(x, weight, None, atoms.stride, atoms.padding, atoms.dilation, inputs)
    return _mix(maps, alpha, atoms)


def _mix(maps: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the maps (B, I N, V, U) of all atoms."""
    return functional.conv2d(maps, alpha.flatten(1)[..., None, None], groups=atoms.groups)


def composed(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Mix the atoms into filters, then convolve once."""
    return functional.conv2d(x, compose(alpha, atoms), None, *atoms.geometry)


def relaid(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Do the same in the other layout."""
    maps, filters = in_other_layout(x, compose(alpha, atoms))
    return functional.conv2d(maps, filters, None, *atoms.geometry)


def separable(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter with 1-D convolutions along x, then along y, then mix."""
    batch, inputs, height, width = x.shape
    rows = x.reshape(batch * inputs, 1, height, width)
    stride, padding, dilation = atoms.stride, atoms.padding, atoms.dilation
    profiles_y, profiles_x = atoms.profiles
    along_x = functional.conv2d(
        rows, profiles_x[:, None, None], None, (1, stride[1]), (0, padding[1]), (1, dilation[1])
    )
    ys, xs = (list(column) for column in zip(*atoms.factors, strict=True))
    maps = functional.conv2d(
        along_x[:, xs],
        profiles_y[ys][:, None, :, None],
        None,
        (stride[0], 1),
        (padding[0], 0),
        (dilation[0], 1),
        groups=len(ys),
    )
    return _mix(maps.reshape(batch, -1, *maps.shape[2:]), alpha, atoms)


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
    return _mix(stacked, alpha[:, :, order], atoms)


def _by_group(
    way: Callable[[Tensor, Tensor, SeparableAtoms], Tensor],
) -> Callable[[Tensor, Tensor, SeparableAtoms], Tensor]:
    """Let a way that knows no groups evaluate them one after the other."""

    @functools.wraps(way)
    def evaluate(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
        return by_group(lambda maps, weights: way(maps, weights, atoms), x, alpha, atoms.groups)

    return evaluate


@_by_group
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
    along_x = _each(_summing_x(atoms, width), maps).view(batch, -1, wide * outputs)  # (B, Y P, U O)
    along_y = _each(_summing_y(atoms, height), along_x)  # (B, V, U O)
    return along_y.view(batch, high, wide, outputs).permute(0, 3, 1, 2)


def _each(matrix: Tensor, maps: Tensor) -> Tensor:
    """Return ``matrix @ maps``; where the matrix learns, without the copies that ``@`` makes."""
    if matrix.requires_grad:
        return torch.bmm(matrix.expand(len(maps), -1, -1), maps)
    return matrix @ maps


@_by_group
def fft(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Multiply the spectra of the maps and of the composed filters."""
    filters = _spread(compose(alpha, atoms), atoms.dilation)
    dtype = torch.promote_types(x.dtype, filters.dtype)
    exact = torch.float32 if dtype in LOW else dtype  # no transform in half precision
    axes = list(zip(x.shape[-2:], filters.shape[-2:], atoms.padding, strict=True))
    shape = [period(*axis) for axis in axes]
    spectrum = torch.fft.rfft2(x.to(exact), s=shape)
    spectra = torch.fft.rfft2(filters.to(exact).flip(-2, -1), s=shape)
    bins = spectrum.shape[-2:]
    # One (B, I) x (I, O) product per frequency.
    product = spectrum.flatten(2).permute(2, 0, 1) @ spectra.flatten(2).permute(2, 1, 0)
    whole = torch.fft.irfft2(product.permute(1, 2, 0).unflatten(2, bins), s=shape)
    y, x_ = (slice(size - 1 - _within(size, p), n + _within(size, p)) for n, size, p in axes)
    beyond = [p - _within(size, p) for _, size, p in axes]
    padded = functional.pad(whole[..., y, x_], [n for n in beyond[::-1] for _ in range(2)])
    stride = atoms.stride
    return padded[..., :: stride[0], :: stride[1]].to(dtype)


@_by_group
def pieces(x: Tensor, alpha: Tensor, atoms: SeparableAtoms) -> Tensor:
    """Filter by products with matrices and mix, a piece of an image at a time."""
    height, width = x.shape[2:]
    size, count = atoms.output_size(height, width), len(atoms.factors)
    along_y, along_x = atoms.bands(0, height), atoms.bands(1, width)
    if is_tiny((height, width), len(alpha)):
        matrix = atoms.made(
            ("dense", height, width), lambda: dense_filters(along_y, along_x, atoms.factors)
        )
        return filter_and_mix(x, alpha.flatten(1), DenseFilters(count, size), [matrix])
    banded = BandedFilters(atoms.factors, size, (atoms.band(0, height), atoms.band(1, width)))
    return filter_and_mix(x, alpha.mT.flatten(1), banded, [along_y, along_x])


WAYS: dict[str, Callable[[Tensor, Tensor, SeparableAtoms], Tensor]] = {
    "depthwise": depthwise,
    "composed": composed,
    "relaid": relaid,
    "separable": separable,
    "banded": banded,
    "mixed": mixed,
    "fft": fft,
    "pieces": pieces,
}


def _atoms_by_profile(atoms: SeparableAtoms, axis: int) -> list[tuple[int, list[int]]]:
    """Group the atoms that share a profile along an axis."""
    groups: dict[int, list[int]] = {}
    for n, factors in enumerate(atoms.factors):
        groups.setdefault(factors[axis], []).append(n)
    return sorted(groups.items())


def _summing_x(atoms: SeparableAtoms, width: int) -> Tensor:
    """Return the (P U, X N) matrix that filters atom maps along x and sums those of a profile."""

    def make() -> Tensor:
        bands = atoms.bands(1, width)
        groups = _atoms_by_profile(atoms, axis=0)
        blocks = bands.new_zeros(len(groups), bands.shape[1], width, len(atoms.factors))
        for p, (_, members) in enumerate(groups):
            for n in members:
                blocks[p, :, :, n] = bands[atoms.factors[n][1]]
        return blocks.flatten(2).flatten(0, 1)

    return atoms.made(("summing x", width), make)


def _summing_y(atoms: SeparableAtoms, height: int) -> Tensor:
    """Return the (V, Y P) matrix that filters the profiles' maps along y and sums them."""

    def make() -> Tensor:
        bands = atoms.bands(0, height)
        used = [profile for profile, _ in _atoms_by_profile(atoms, axis=0)]
        return torch.stack([bands[p] for p in used], 2).flatten(1)

    return atoms.made(("summing y", height), make)


def _within(size: int, padding: int) -> int:
    """Return the padding in which filters meet the map."""
    return min(padding, size - 1)


def period(length: int, size: int, padding: int) -> int:
    """Return from where on a periodic line answers as a padded one, where that is wanted.

    What goes round ends up in answers beyond the padding.
    """
    return fast_length(max(size, length + _within(size, padding)))


@functools.cache
def fast_length(length: int) -> int:
    """Return the next length without other factors than 2, 3 and 5, and even.

    Transforms of others take up to four times as long.
    """
    longer = length + length % 2
    left = longer
    for factor in (2, 3, 5):
        while left % factor == 0:
            left //= factor
    return longer if left == 1 else fast_length(longer + 1)


def _spread(filters: Tensor, dilation: Pair) -> Tensor:
    """Put zeros between the taps of filters (O, I, K, L)."""
    if dilation == (1, 1):
        return filters
    high, wide = (d * (n - 1) + 1 for n, d in zip(filters.shape[2:], dilation, strict=True))
    spread = filters.new_zeros(*filters.shape[:2], high, wide)
    spread[..., :: dilation[0], :: dilation[1]] = filters
    return spread
