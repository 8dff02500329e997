"""Which way to evaluate a hierarchical convolution: estimated time from its arithmetic.

A way's time is its multiply-adds, the inner array's numbers and the places, each times a
constant. The constants were fitted to training steps of CIFAR-sized layers on one core of a
Xeon with AVX-512 (``tests/benchmarks/test_hierarchical.py`` compares the choice with the best).
The choice depends on shape, dtype and device kind only, so that equal runs choose equally.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from structnets.nn._attribute_axes import AttributeAxes

COLLAPSED = ("collapsed-conv", "collapsed-band")
WAYS = ("plain", "fused-conv", "fused-band", *COLLAPSED)


@dataclass(frozen=True)
class HierarchicalWork:
    """Sizes of one evaluation.

    Parameters
    ----------
    places : int
        Images times output pixels.
    taps, terms, values : int
        Spatial taps, terms Q and filters K.
    axes : AttributeAxes
        Attribute geometry.
    activation : bool
        Whether an ELU lies between the factors.
    training : bool
        Whether gradients are wanted.
    single : bool
        Whether the numbers are float32, for which torch's convolutions are fast.
    """

    places: int
    taps: int
    terms: int
    values: int
    axes: AttributeAxes
    activation: bool
    training: bool
    single: bool = True


# Nanoseconds on one core, forward only: per multiply-add, per number of the inner array, per place.
_PLAIN = (1 / 40, 27.0, 0.0)
_CONV = (1 / 85, 2.4, 800.0)
_BAND = (1 / 78, 2.4, 100.0)
# A convolution's backward pass costs an image of few attributes far more than its arithmetic.
_CONV_TRAINING = (1 / 85, 2.4, 4000.0)


def multiply_adds(work: HierarchicalWork, way: str) -> int:
    """Count the multiply-adds along the attributes, forward, multiplied zeros included."""
    channels = work.taps if way.startswith("collapsed") else work.terms
    axes = work.axes
    if way == "plain":
        meetings = math.prod(axes.outputs) * math.prod(axes.support)
    elif way.endswith("band"):
        meetings = axes.taps(0) * axes.sizes[1] * axes.outputs[1]
    else:
        meetings = axes.taps(0) * axes.taps(1)
    return work.places * meetings * channels * work.values


def nanoseconds(work: HierarchicalWork, way: str) -> float:
    """Estimate the time of a way on one core; only comparisons mean anything."""
    rates = {"plain": _PLAIN, "conv": _CONV_TRAINING if work.training else _CONV, "band": _BAND}
    per_product, per_number, per_place = rates[way.rpartition("-")[2]]
    channels = work.taps if way.startswith("collapsed") else work.terms
    numbers = work.places * math.prod(work.axes.sizes) * channels
    passes = 3 if work.training else 1
    return passes * (
        per_product * multiply_adds(work, way) + per_number * numbers + per_place * work.places
    )


def possible(work: HierarchicalWork, ways: Sequence[str] = WAYS) -> list[str]:
    """List those of the `ways` that can do this work and are not known to be slow for its dtype."""
    if work.activation:
        ways = [way for way in ways if not way.startswith("collapsed")]
    if work.axes.padding != "zeros" or not work.single:
        ways = [way for way in ways if not way.endswith("conv")]
    return list(ways)


def cheapest_way(work: HierarchicalWork, device: str, ways: Sequence[str] = WAYS) -> str:
    """Return the one of the `ways` with the least estimated time.

    Elsewhere than on a CPU, where nothing has been measured, it is the first possible one.
    """
    candidates = possible(work, ways)
    if device != "cpu":
        return candidates[0]
    return min(candidates, key=lambda way: nanoseconds(work, way))
