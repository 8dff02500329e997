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

Pair = tuple[int, int]


@dataclass(frozen=True)
class Work:
    """Sizes of one evaluation of a structured 2-D convolution.

    Parameters
    ----------
    batch, inputs, outputs : int
        Images and channels.
    atoms, size : int
        Basis filters and their width.
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
    size: int
    profiles: Pair
    input_map: Pair
    output_map: Pair
    taps: Pair
    training: bool
    input_gradient: bool

    @property
    def maps(self) -> int:
        """Numbers in the filtered input maps of all atoms."""
        return self.batch * self.inputs * self.atoms * math.prod(self.output_map)


def count_taps(length: int, size: int, stride: int, padding: int, outputs: int) -> int:
    """Count the filter taps that meet a sample, over an output line."""
    starts = (i * stride - padding for i in range(outputs))
    return sum(max(0, min(length, start + size) - max(0, start)) for start in starts)


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
    composing = work.outputs * work.inputs * work.atoms * work.size**2
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
    again = work.training + work.input_gradient
    bins = math.prod(n + work.size - 1 for n in work.input_map)
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

# Seconds per term, fitted on one core of a server processor with AVX-512, float32.
WEIGHTS: dict[str, Terms] = {
    "depthwise": (3.35e-11, 3.59e-11, 1.79e-11, 1.43e-11, 8.97e-10, 2.16e-09, 0.000414, 0.000406),
    "composed": (1.01e-11, 1e-11, 1.42e-11, 2.65e-10, 4.1e-10, 9.45e-10, 0.000126, 0.000251),
    "separable": (3.23e-10, 9.11e-11, 2.29e-11, 1.91e-11, 6.95e-10, 3.58e-09, 0.000438, 0.000357),
    "banded": (1.61e-11, 0, 2.18e-11, 2.15e-11, 4.42e-10, 2.3e-09, 0.000244, 0.000526),
    "mixed": (1.21e-11, 2.78e-11, 2.86e-11, 1.39e-11, 0, 4.34e-10, 0.000418, 0.000423),
    "fft": (6.29e-10, 7.47e-10, 0, 0, 0, 0, 0, 0.000866),
}


def estimate(work: Work, way: str) -> float:
    """Return the estimated seconds of a way, good for comparison only."""
    return sum(t * w for t, w in zip(TERMS[way](work), WEIGHTS[way], strict=True))


def cheapest(work: Work, device: str) -> str:
    """Return the way estimated to be fastest.

    On a GPU this is ``composed``: one convolution by the vendor's library, whose mixing step is
    small beside it.
    """
    if device != "cpu":
        return "composed"
    return min(TERMS, key=lambda way: estimate(work, way))
