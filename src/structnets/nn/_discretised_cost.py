"""Which way to evaluate a Gaussian layer, of whatever discretisation, fixed or learned.

As in `structnets.nn._cost_model` a way's time is that of its arithmetic and memory traffic, with
rates fitted to measurements of one machine. Hybrid derivatives may be smoothed first; ways that
apply whole filters win on maps of a few pixels, where padding makes outputs larger than inputs,
and with one or three channels.

Trainings with sampled derivatives at fixed scales keep the choice of `structnets.nn._cost_model`,
by which those of the thesis were run: ways differ in rounding, and a training that is repeated
should take the same. Evaluations have a model of their own (`structnets.nn._inference_cost`).
"""

from __future__ import annotations

import torch

from structnets.nn._cost_model import TERMS, Terms, cheapest
from structnets.nn._discretised_terms import WAY_TERMS, DiscretisedWork
from structnets.nn._inference_cost import INFERENCE, forward_seconds

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


MODES = ("training", "inference")
FACTOR_NAMES = tuple(f"{kind} {mode}" for kind in RATES for mode in MODES)
# What `structnets.nn.calibrate` measured, by the number of threads: how many times longer than by
# the rates each kind takes. Empty unless a program asks.
MEASURED: dict[int, dict[str, float]] = {}


def _kind(work: DiscretisedWork, way: str) -> str:
    return f"pieces {work.filtering}" if way == "pieces" else way


def factor_name(work: DiscretisedWork, way: str) -> str:
    """Return the name of a measured factor."""
    return f"{_kind(work, way)} {MODES[not work.whole.training]}"


def built_in_estimate(work: DiscretisedWork, way: str) -> float:
    """Return the estimated seconds of a way by the built-in rates."""
    terms, kind = WAY_TERMS[way](work), _kind(work, way)
    if not work.whole.training:
        return forward_seconds(terms, work, *INFERENCE[kind])
    more = LEARNED * terms[4] if work.learned and way in TERMS and way != "composed" else 0.0
    return more + sum(t * w for t, w in zip(terms, RATES[kind], strict=True))


def estimate_discretised(work: DiscretisedWork, way: str) -> float:
    """Return the estimated seconds of a way, good for comparison only."""
    factors = MEASURED.get(torch.get_num_threads(), {})
    return factors.get(factor_name(work, way), 1.0) * built_in_estimate(work, way)


def possible_ways(work: DiscretisedWork) -> list[str]:
    """List the ways that can do this work without losing digits.

    Spectra are left out: they won one shape of a hundred, and their estimate is the coarsest.
    """
    stencils = ["stencils"] if work.scales and work.differences else []
    return [*(way for way in TERMS if way != "fft"), "pieces", *stencils]


def cheapest_discretised(work: DiscretisedWork, device: str) -> str:
    """Return the way estimated to be fastest; elsewhere than on a CPU nothing was measured.

    What spares memory is taken where it is nearly as fast: in training `pieces`, which keeps its
    input only, and otherwise one convolution, which makes no maps between.
    """
    if device != "cpu" or work.whole.batch == 0:
        return "composed"
    whole, known = work.whole, torch.get_num_threads() in MEASURED
    if whole.training and not (work.scales or work.learned or known):
        return cheapest(whole, device)
    seconds = {way: estimate_discretised(work, way) for way in possible_ways(work)}
    fastest = min(seconds, key=seconds.__getitem__)
    sparing = "pieces" if whole.training else "composed"
    return sparing if seconds[sparing] <= NEARLY * seconds[fastest] else fastest
