"""Which way to evaluate a structured convolution: estimated time from its arithmetic.

Each way is a handful of operations. An operation's multiply-adds and bytes, once for the forward
pass and once more for every gradient that flows through it, are weighted with rates fitted to
measurements (``tests/benchmarks/calibrate_cost_model.py``). The choice depends on shape, dtype
and device kind only, so that equal runs choose equally.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from structnets.nn._convolution_arguments import Pair
from structnets.nn._separable_atoms import SeparableAtoms


@dataclass(frozen=True)
class Work:
    """Sizes of one evaluation of a structured 2-D convolution.

    Parameters
    ----------
    batch, inputs, outputs : int
        Images and channels.
    atoms : int
        Basis filters.
    size : pair of int
        Height and width of the filters.
    profiles : pair of int
        Distinct 1-D filters the atoms are made of, along y and x.
    input_map, output_map : pair of int
        Height and width.
    taps : pair of int
        Filter taps that meet a sample rather than padding, summed over an output line.
    training : bool
        Whether the weights' gradient is wanted.
    input_gradient : bool
        Whether the input's gradient is wanted too.
    """

    batch: int
    inputs: int
    outputs: int
    atoms: int
    size: Pair
    profiles: Pair
    input_map: Pair
    output_map: Pair
    taps: Pair
    training: bool
    input_gradient: bool

    @classmethod
    def of(cls, x: Tensor, alpha: Tensor, atoms: SeparableAtoms, training: bool) -> Work:
        """Return the sizes for padded maps (B, I, Y, X), a group of channels as an image."""
        batch, _, height, width = x.shape
        size: Pair = (atoms.kernels.shape[1], atoms.kernels.shape[2])
        output_map = atoms.output_size(height, width)
        lines = zip(
            (height, width), size, atoms.stride, atoms.padding, output_map, atoms.dilation,
            strict=True,
        )  # fmt: skip
        taps_y, taps_x = (count_taps(*line) for line in lines)
        along_y, along_x = (len(set(used)) for used in zip(*atoms.factors, strict=True))
        outputs, inputs, count = alpha.shape
        return cls(
            batch=batch * atoms.groups,
            inputs=inputs,
            outputs=outputs // atoms.groups,
            atoms=count,
            size=size,
            profiles=(along_y, along_x),
            input_map=(height, width),
            output_map=output_map,
            taps=(taps_y, taps_x),
            training=training,
            input_gradient=training and x.requires_grad,
        )

    @property
    def maps(self) -> int:
        """Numbers in the filtered input maps of all atoms."""
        return self.batch * self.inputs * self.atoms * math.prod(self.output_map)


def count_taps(
    length: int, size: int, stride: int, padding: int, outputs: int, dilation: int = 1
) -> int:
    """Count the filter taps that meet a sample, over an output line."""
    starts = (i * stride - padding for i in range(outputs))
    if dilation == 1:
        return sum(max(0, min(length, start + size) - max(0, start)) for start in starts)
    taps = range(0, dilation * size, dilation)
    return sum(0 <= start + tap < length for start in starts for tap in taps)


# Multiply-adds and numbers written, forward and backward, then 1 and 1 if there is a backward.
Terms = tuple[float, ...]


def _filter_then_mix(work: Work, filtering: float) -> Terms:
    """Terms of a way that filters the inputs with fixed filters and mixes the maps."""
    again = work.training + work.input_gradient
    mixing = work.maps * work.outputs
    return (
        filtering,
        filtering * work.input_gradient,
        mixing,
        mixing * again,
        work.maps,
        work.maps * again,
        1,
        work.training,
    )


def _depthwise(work: Work) -> Terms:
    return _filter_then_mix(work, work.batch * work.inputs * work.atoms * math.prod(work.taps))


def _separable(work: Work) -> Terms:
    along_x = work.profiles[1] * work.input_map[0] * work.taps[1]
    along_y = work.atoms * work.taps[0] * work.output_map[1]
    return _filter_then_mix(work, work.batch * work.inputs * (along_x + along_y))


def _banded(work: Work) -> Terms:
    (height, width), (high, wide) = work.input_map, work.output_map
    along_x = work.profiles[1] * height * width * wide
    along_y = work.atoms * height * high * wide
    return _filter_then_mix(work, work.batch * work.inputs * (along_x + along_y))


def _composed(work: Work) -> Terms:
    again = work.training + work.input_gradient
    convolution = work.batch * work.inputs * work.outputs * math.prod(work.taps)
    composing = work.outputs * work.inputs * work.atoms * math.prod(work.size)
    numbers = work.batch * (
        work.outputs * math.prod(work.output_map) + work.inputs * math.prod(work.input_map)
    )
    return (
        convolution,
        convolution * work.training,
        convolution * work.input_gradient,
        composing * (1 + work.training),
        numbers,
        numbers * again,
        1,
        work.training,
    )


def _mixed(work: Work) -> Terms:
    (height, width), (high, wide) = work.input_map, work.output_map
    again = work.training + work.input_gradient
    lines = work.batch * work.outputs
    numbers = lines * height * (work.atoms * width + work.profiles[0] * wide)
    # The product along x is with a block-diagonal matrix, computed as a dense one.
    filtering = lines * height * work.profiles[0] * wide * (work.atoms * width + high)
    mixing = lines * work.atoms * height * width * work.inputs
    return (
        filtering,
        filtering * work.training,
        mixing,
        mixing * again,
        numbers,
        numbers * again,
        1,
        work.training,
    )


def _fft(work: Work) -> Terms:
    return fft_terms(
        work, math.prod(n + s - 1 for n, s in zip(work.input_map, work.size, strict=True))
    )


def fft_terms(work: Work, bins: int) -> Terms:
    """Return the terms of products of spectra, of so many pixels each."""
    again = work.training + work.input_gradient
    spectra = work.batch * (work.inputs + work.outputs) + work.inputs * work.outputs
    transforms = spectra * bins * math.log2(bins)
    products = work.batch * work.inputs * work.outputs * bins
    return (
        transforms,
        transforms * again,
        products,
        products * again,
        spectra * bins,
        spectra * bins * again,
        1,
        work.training,
    )


TERMS: dict[str, Callable[[Work], Terms]] = {
    "depthwise": _depthwise,
    "composed": _composed,
    "separable": _separable,
    "banded": _banded,
    "mixed": _mixed,
    "fft": _fft,
}

# Seconds per term, fitted on one core of a server processor with AVX-512, float32,
# maps channels last. (Depthwise's traffic, which the fit leaves near zero, is set from its
# one-channel shapes; that of mixed from NiN's third block, where it is written to memory.)
WEIGHTS: dict[str, Terms] = {
    "depthwise": (2.19e-11, 2.18e-10, 2.11e-11, 1.98e-11, 8e-10, 1e-09, 0.000362, 0.000449),
    "composed": (9.88e-12, 1.38e-11, 8.33e-12, 4.04e-10, 5.15e-10, 5.02e-10, 7.78e-05, 0.00028),
    "separable": (3.36e-10, 6.34e-11, 2.17e-11, 1.7e-11, 5.76e-10, 4.27e-09, 0.000424, 0.000296),
    "banded": (1.68e-11, 1.23e-10, 2.64e-11, 2.41e-11, 1.48e-09, 1.1e-09, 0.000261, 0.000336),
    "mixed": (1.3e-11, 2.14e-11, 1.57e-11, 1.06e-11, 8e-10, 2.34e-10, 6.57e-05, 0.000114),
    "fft": (7.59e-10, 8.55e-10, 0, 0, 0, 0, 0, 0.000203),
}


def estimate(work: Work, way: str) -> float:
    """Return the estimated seconds of a way, good for comparison only."""
    return sum(t * w for t, w in zip(TERMS[way](work), WEIGHTS[way], strict=True))


def cheapest(work: Work, device: str) -> str:
    """Return the way estimated to be fastest.

    On a GPU this is ``composed``: one convolution by the vendor's library, whose mixing step is
    small beside it. So it is for an empty batch (a worker without a share), which not all ways
    allow.
    """
    if device != "cpu" or work.batch == 0:
        return "composed"
    return min(TERMS, key=lambda way: estimate(work, way))
