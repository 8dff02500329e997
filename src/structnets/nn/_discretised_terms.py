"""Arithmetic and memory traffic of the ways to evaluate a Gaussian layer of any discretisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from structnets.nn._convolution_arguments import Pair
from structnets.nn._cost_model import TERMS, Terms, Work, fft_terms
from structnets.nn._evaluation import period
from structnets.nn._fast_product import is_fast
from structnets.nn._filter_matrices import read_of
from structnets.nn._pieces import PIECE_NUMBERS


@dataclass(frozen=True)
class DiscretisedWork:
    """Sizes of one evaluation of a Gaussian layer, of whatever discretisation.

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
    channels_last : bool
        Whether the maps' channels are neighbours in memory.
    """

    whole: Work
    groups: int
    learned: bool
    scales: int = 0
    stencil: int = 0
    smoothed: Pair = (0, 0)
    filtering: str = "differences"
    differences: bool = False
    channels_last: bool = False


# Numbers that the processor handles at once: fewer output channels take as long as these.
LANES = 8


def lanes(channels: int) -> float:
    """Return by how much longer a product with so few columns takes than its arithmetic says."""
    return -(-channels // LANES) * LANES / channels


def _bins(whole: Work) -> int:
    """Count the pixels of spectra as long as `structnets.nn._evaluation.fft` makes them."""
    bins = 1
    for n, size, left in zip(whole.input_map, whole.size, whole.output_map, strict=True):
        step = max(1, round(n / left))
        padding = max(0, ((left - 1) * step + size - n + 1) // 2)
        bins *= period(n, size, padding)
    return bins


def _of_whole_filters(way: str) -> Callable[[DiscretisedWork], Terms]:
    def terms(work: DiscretisedWork) -> Terms:
        fft = way == "fft"
        found = list(fft_terms(work.whole, _bins(work.whole)) if fft else TERMS[way](work.whole))
        filled = lanes(work.whole.outputs)
        if way in ("composed", "mixed"):
            found[0] *= filled
            found[1] *= filled
        if way == "composed":
            # Taps along x that meet padding are multiplied too; gradients go through the inputs'
            # channels as well.
            whole = work.whole
            along_x = whole.output_map[1] * whole.size[1] / max(1, whole.taps[1])
            inputs = lanes(whole.inputs)
            found[:3] = found[0] * along_x, found[1] * along_x * inputs, found[2] * along_x * inputs
            found[2] *= filled
            if not whole.training:  # filters are kept; the weights are compared with those met last
                found[3] = 0.0
                found[4] += whole.outputs * whole.inputs * whole.atoms
        if work.learned:  # the filters' gradient takes as much as filtering, or as composing
            if way == "composed":
                found[3] *= 1.5
            else:
                found[1] += found[0]
        if way in ("mixed", "fft"):
            found[6:] = [work.groups * n for n in found[6:]]
        return tuple(found)

    return terms


def _relaid(work: DiscretisedWork) -> Terms:
    """Return the terms of one convolution, of maps that are copied before and after it."""
    found, whole = list(WAY_TERMS["composed"](work)), work.whole
    areas = (math.prod(whole.input_map), math.prod(whole.output_map))
    copied = whole.batch * (whole.inputs * areas[0] + whole.outputs * areas[1])
    found[4] += copied
    found[5] += copied * whole.training
    return tuple(found)


# What part of its time a product takes by the faster library: .43 with AVX-512, .87 with AVX2.
FAST = 0.45
# What a call of `pieces` begins with, in starts of an atom's filtering.
OPERATIONS = 20


def _smoothing(work: DiscretisedWork) -> float:
    (height, width), (high, wide) = work.whole.input_map, work.smoothed
    return work.whole.batch * work.whole.inputs * work.scales * high * width * (height + wide)


def _stencils(work: DiscretisedWork) -> Terms:
    whole, smoothing = work.whole, _smoothing(work)
    below = whole.input_gradient + work.learned
    taps = work.stencil**2 * work.scales * whole.inputs
    outputs = whole.outputs * lanes(whole.outputs)
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
        * (
            whole.profiles[0] * high * width * read_of(height, high, whole.size[0])
            + whole.atoms * high * wide * read_of(width, wide, whole.size[1])
        ),
        "differences": _smoothing(work),
    }[work.filtering]
    if work.filtering == "differences" and is_fast(whole.inputs * height, width, wide):
        filtering *= FAST
    mixing = whole.maps * whole.outputs
    pixels = min(high * wide, PIECE_NUMBERS // max(1, whole.atoms * whole.inputs))
    if is_fast(whole.outputs, whole.atoms * whole.inputs, pixels):
        mixing *= FAST
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
    "relaid": _relaid,
}
