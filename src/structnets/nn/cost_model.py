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
    atoms, profiles, size : int
        Basis filters, distinct 1-D filters they are made of, and their width.
    input_map, output_map : pair of int
        Height and width.
    training : bool
        Whether the weights' gradient is wanted.
    input_gradient : bool
        Whether the input's gradient is wanted too.
    """

    batch: int
    inputs: int
    outputs: int
    atoms: int
    profiles: int
    size: int
    input_map: Pair
    output_map: Pair
    training: bool
    input_gradient: bool

    @property
    def passes(self) -> tuple[int, int, int]:
        """Times an operation runs: on inputs only, on weights only, on inputs with weights."""
        weights, inputs = int(self.training), int(self.input_gradient)
        return 1 + inputs, 1 + weights, 1 + weights + inputs


# Estimated seconds are terms times these weights: seconds per multiply-add for the arithmetic of
# an operation, seconds per number written for its traffic, and a constant in seconds.
Terms = tuple[float, ...]


def _depthwise(work: Work) -> Terms:
    fixed, _, both = work.passes
    pixels = math.prod(work.output_map)
    maps = work.batch * work.inputs * work.atoms * pixels
    return fixed * maps * work.size**2, both * maps * work.outputs, both * maps, 1.0


def _composed(work: Work) -> Terms:
    _, weights, both = work.passes
    taps = work.size**2 * work.inputs
    convolution = both * work.batch * work.outputs * taps * math.prod(work.output_map)
    numbers = both * work.batch * (
        work.outputs * math.prod(work.output_map) + work.inputs * math.prod(work.input_map)
    )
    return convolution, weights * work.outputs * taps * work.atoms, numbers, 1.0


def _separable(work: Work) -> Terms:
    fixed, _, both = work.passes
    lines = work.batch * work.inputs
    along_x = lines * work.profiles * work.input_map[0] * work.output_map[1]
    maps = lines * work.atoms * math.prod(work.output_map)
    filtering = fixed * work.size * (along_x + maps)
    return filtering, both * maps * work.outputs, both * maps, 1.0


def _banded(work: Work) -> Terms:
    fixed, _, both = work.passes
    (height, width), (high, wide) = work.input_map, work.output_map
    lines = work.batch * work.inputs
    maps = lines * work.atoms * high * wide
    filtering = fixed * (lines * work.profiles * height * wide * width + maps * height)
    return filtering, both * maps * work.outputs, both * maps, 1.0


def _mixed(work: Work) -> Terms:
    _, weights, both = work.passes
    (height, width), (high, wide) = work.input_map, work.output_map
    maps = work.batch * work.outputs * work.atoms * height * width
    along_x = maps * work.profiles * wide
    along_y = work.batch * work.outputs * work.profiles * height * high * wide
    numbers = maps + work.batch * work.outputs * work.profiles * height * wide
    return weights * (along_x + along_y), both * maps * work.inputs, weights * numbers, 1.0


def _fft(work: Work) -> Terms:
    _, _, both = work.passes
    height, width = (n + work.size - 1 for n in work.input_map)
    spectra = work.batch * (work.inputs + work.outputs) + work.inputs * work.outputs
    transforms = both * spectra * height * width
    products = both * work.batch * work.inputs * work.outputs * height * width
    return transforms * math.log2(height * width), products, transforms, 1.0


TERMS: dict[str, Callable[[Work], Terms]] = {
    "depthwise": _depthwise,
    "composed": _composed,
    "separable": _separable,
    "banded": _banded,
    "mixed": _mixed,
    "fft": _fft,
}

# Fitted on two cores of a server processor with AVX-512, float32, one and two threads.
WEIGHTS: dict[str, Terms] = {name: (1.0, 1.0, 1.0, 0.0) for name in TERMS}


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
