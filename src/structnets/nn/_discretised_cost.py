"""Which way to evaluate hybrid derivatives and learned scales.

As in `structnets.nn._cost_model` a way's time is that of its arithmetic and memory traffic, with
rates fitted to measurements. Ways that smooth first compete with those of all layers, which apply
whole filters and win on maps of a few pixels, where padding makes outputs larger than inputs, and
with one or three channels. So all of them have rates of one machine here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from structnets.nn._convolution_arguments import Pair
from structnets.nn._cost_model import TERMS, Terms, Work


@dataclass(frozen=True)
class DiscretisedWork:
    """Sizes of one evaluation of hybrid or learned derivatives.

    Parameters
    ----------
    whole : Work
        With whole filters; a group of channels counts as an image there.
    groups : int
        Groups of channels, which some ways evaluate one after the other.
    learned : bool
        Whether the filters want a gradient.
    scales : int
        Smoothings; 0 where derivatives are not hybrid.
    stencil : int
        Width of the composed differences.
    smoothed : pair of int
        Size of the smoothed maps.
    filtering : str
        How `pieces` would filter: ``dense``, ``banded`` or ``differences``.
    differences : bool
        Whether differences of smoothed maps hold enough digits.
    """

    whole: Work
    groups: int
    learned: bool
    scales: int = 0
    stencil: int = 0
    smoothed: Pair = (0, 0)
    filtering: str = "differences"
    differences: bool = False


# Numbers that the processor handles at once: fewer output channels take as long as these.
LANES = 8


def _lanes(channels: int) -> float:
    """Return by how much longer a product with so few columns takes than its arithmetic says."""
    return -(-channels // LANES) * LANES / channels


def _of_whole_filters(way: str) -> Callable[[DiscretisedWork], Terms]:
    def terms(work: DiscretisedWork) -> Terms:
        found = list(TERMS[way](work.whole))
        lanes = _lanes(work.whole.outputs)
        if way in ("composed", "mixed"):
            found[0] *= lanes
            found[1] *= lanes
        if way == "composed":
            # Taps along x that meet padding are multiplied too; gradients go through the inputs'
            # channels as well.
            whole = work.whole
            along_x = whole.output_map[1] * whole.size[1] / max(1, whole.taps[1])
            inputs = _lanes(whole.inputs)
            found[:3] = found[0] * along_x, found[1] * along_x * inputs, found[2] * along_x * inputs
            found[2] *= lanes
        if work.learned:  # the filters' gradient takes as much as filtering, or as composing
            if way == "composed":
                found[3] *= 1.5
            else:
                found[1] += found[0]
        if way in ("mixed", "fft"):
            found[6:] = [work.groups * n for n in found[6:]]
        return tuple(found)

    return terms


# What a call of `pieces` begins with, in starts of an atom's filtering.
OPERATIONS = 20


def _smoothing(work: DiscretisedWork) -> float:
    (height, width), (high, wide) = work.whole.input_map, work.smoothed
    return work.whole.batch * work.whole.inputs * work.scales * high * width * (height + wide)


def _stencils(work: DiscretisedWork) -> Terms:
    whole, smoothing = work.whole, _smoothing(work)
    below = whole.input_gradient + work.learned
    taps = work.stencil**2 * work.scales * whole.inputs
    outputs = whole.outputs * _lanes(whole.outputs)
    mixing = whole.batch * outputs * math.prod(whole.output_map) * taps
    numbers = whole.batch * (
        2 * work.scales * whole.inputs * math.prod(work.smoothed)
        + whole.outputs * math.prod(whole.output_map)
    )
    return (
        smoothing,
        smoothing * below,
        mixing,
        mixing * (whole.training + (below > 0)),
        numbers,
        numbers * (whole.training + (below > 0)),
        1,
        whole.training,
    )


def _pieces(work: DiscretisedWork) -> Terms:
    whole = work.whole
    (height, width), (high, wide) = whole.input_map, whole.output_map
    images = whole.batch * whole.inputs
    below = whole.input_gradient + work.learned
    filtering = {
        "dense": images * height * width * whole.atoms * high * wide,
        "banded": images
        * (whole.profiles[0] * high * height * width + whole.atoms * high * width * wide),
        "differences": _smoothing(work),
    }[work.filtering]
    mixing = whole.maps * whole.outputs
    starts = OPERATIONS + whole.batch * (1 if work.filtering == "dense" else whole.atoms)
    return (
        filtering * (1 + whole.training),  # the maps are made again for the weights' gradient
        filtering * below,
        mixing,
        mixing * (whole.training + (below > 0)),
        whole.maps * (1 + whole.training),
        whole.maps * below,
        starts,
        starts * (whole.training + (below > 0)),
    )


WAY_TERMS: dict[str, Callable[[DiscretisedWork], Terms]] = {
    **{way: _of_whole_filters(way) for way in TERMS},
    "stencils": _stencils,
    "pieces": _pieces,
}

# Seconds per term, fitted to random shapes on one core of a server processor with AVX2 (EPYC), in
# float32, of both layouts; ``tests/benchmarks/test_random_shapes.py`` compares choices and best.
RATES: dict[str, Terms] = {
    "depthwise": (7.1e-11, 3.85e-10, 1.99e-10, 1.08e-10, 2.65e-09, 1.03e-08, 0.000739, 0.000313),
    "composed": (2.98e-11, 2.55e-11, 1.15e-11, 7.91e-10, 2.25e-09, 2.28e-09, 0.000535, 0.000605),
    "separable": (2.31e-10, 4.84e-11, 6.19e-11, 3.76e-11, 2.58e-09, 6.68e-09, 0.000946, 0.000744),
    "banded": (5.7e-12, 0, 4.91e-11, 4.75e-11, 4.55e-09, 4.34e-09, 0.000796, 0.000739),
    "mixed": (6.48e-11, 4.93e-11, 4.96e-11, 1.95e-11, 0, 6.72e-10, 0.000507, 0.000567),
    "fft": (5.11e-10, 1.2e-09, 2.84e-10, 1.83e-10, 1.94e-10, 1.74e-10, 0.000655, 0.000613),
    "stencils": (5.87e-11, 0, 3.53e-11, 2.88e-11, 2.16e-09, 3.17e-09, 0.000871, 0.000934),
    "pieces dense": (4.48e-11, 5.14e-11, 5.94e-11, 2.76e-11, 4.46e-10, 7.44e-10, 5.11e-05, 1.5e-05),
    "pieces banded": (
        7.08e-11,
        5.81e-11,
        4.34e-11,
        8.16e-11,
        7.6e-10,
        6.79e-10,
        3.16e-05,
        2.12e-05,
    ),
    "pieces differences": (
        2.21e-11,
        3.98e-11,
        2.76e-11,
        3.18e-11,
        2.46e-09,
        5.94e-10,
        4.15e-05,
        4.35e-05,
    ),
}

# What a number of the filtered maps takes more where filters learn: the gradients of their matrices
# are sums of many small products. Measured with `mixed` on four shapes, 10 to 17 ns.
LEARNED = 1.3e-8
NEARLY = 1.1


def estimate_discretised(work: DiscretisedWork, way: str) -> float:
    """Return the estimated seconds of a way, good for comparison only."""
    kind = f"pieces {work.filtering}" if way == "pieces" else way
    terms = WAY_TERMS[way](work)
    more = LEARNED * terms[4] if work.learned and way in TERMS and way != "composed" else 0.0
    return more + sum(t * w for t, w in zip(terms, RATES[kind], strict=True))


def possible_ways(work: DiscretisedWork) -> list[str]:
    """List the ways that can do this work without losing digits.

    Spectra are left out: they won one shape of a hundred, and their estimate is the coarsest.
    """
    hybrid = ["pieces", *(["stencils"] if work.differences else [])] if work.scales else []
    return [*(way for way in TERMS if way != "fft"), *hybrid]


def cheapest_discretised(work: DiscretisedWork, device: str) -> str:
    """Return the way estimated to be fastest; elsewhere than on a CPU nothing was measured.

    Where `pieces` is nearly as fast it is taken: it keeps its input only.
    """
    if device != "cpu" or work.whole.batch == 0:
        return "composed"
    seconds = {way: estimate_discretised(work, way) for way in possible_ways(work)}
    fastest = min(seconds, key=seconds.__getitem__)
    nearly = seconds.get("pieces", math.inf) <= NEARLY * seconds[fastest]
    return "pieces" if nearly else fastest
