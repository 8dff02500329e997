"""Which way to evaluate a Gaussian layer, of whatever discretisation, fixed or learned.

A way's time is estimated by tables fitted to measurements of one machine, one for training steps
(`structnets.nn._training_cost`) and one for evaluations (`structnets.nn._inference_cost`). Hybrid
derivatives may be smoothed first; ways that apply whole filters win on maps of a few pixels, where
padding makes outputs larger than inputs, and with one or three channels.
"""

from __future__ import annotations

import torch

from structnets.nn._cost_model import TERMS, cheapest
from structnets.nn._discretised_terms import WAY_TERMS, DiscretisedWork
from structnets.nn._fitted_cost import fitted_seconds
from structnets.nn._inference_cost import FORWARD, INFERENCE
from structnets.nn._training_cost import STEP, TRAINING

NEARLY = 1.1
MOST_NUMBERS = 2e8
"""Of spectra, and of the maps that a way writes if its time is to be measured."""

MODES = ("training", "inference")
FACTOR_NAMES = tuple(f"{kind} {mode}" for kind in TRAINING for mode in MODES)
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
        return fitted_seconds(terms, work, FORWARD, *INFERENCE[kind])
    return fitted_seconds(terms, work, STEP, *TRAINING[kind])


def estimate_discretised(work: DiscretisedWork, way: str) -> float:
    """Return the estimated seconds of a way, good for comparison only."""
    factors = MEASURED.get(torch.get_num_threads(), {})
    return factors.get(factor_name(work, way), 1.0) * built_in_estimate(work, way)


def possible_ways(work: DiscretisedWork) -> list[str]:
    """List the ways that can do this work without losing digits, or filling the memory."""
    stencils = ["stencils"] if work.scales and work.differences else []
    relaid = ["relaid"] if work.whole.inputs > 1 else []  # one channel lies the same either way
    ways = [*TERMS, "pieces", *relaid, *stencils]
    return [way for way in ways if way != "fft" or WAY_TERMS[way](work)[4] <= MOST_NUMBERS]


def cheapest_discretised(work: DiscretisedWork, device: str, repeatable: bool = False) -> str:
    """Return the way estimated to be fastest; elsewhere than on a CPU nothing was measured.

    What spares memory is taken where it is nearly as fast: in training `pieces`, which keeps its
    input only, and otherwise one convolution, which makes no maps between. Trainings of sampled
    derivatives that are to be repeated keep the choice of `structnets.nn._cost_model`, by which
    those of the thesis' nets were run: ways differ in rounding.
    """
    if device != "cpu" or work.whole.batch == 0:
        return "composed"
    whole = work.whole
    if whole.training and repeatable and not (work.scales or work.learned):
        return cheapest(whole, device)
    seconds = {way: estimate_discretised(work, way) for way in possible_ways(work)}
    fastest = min(seconds, key=seconds.__getitem__)
    sparing = "pieces" if whole.training else "composed"
    return sparing if seconds[sparing] <= NEARLY * seconds[fastest] else fastest
