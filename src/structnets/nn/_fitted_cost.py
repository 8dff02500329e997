"""Estimates of what a Gaussian layer's ways take: arithmetic, corrected by powers of sizes.

Times differ more from way to way, and with sizes, than sums of products and traffic explain: short
filters, few channels and channels that fill no register are slow in ways of their own. So what the
terms of `structnets.nn._discretised_terms` add up to is multiplied by the exponential of a
quadratic form of the sizes' logarithms.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence

from structnets.nn._discretised_terms import DiscretisedWork, Terms, lanes

Fitted = dict[str, tuple[Terms, tuple[float, ...]]]
"""By kind of way, seconds per term, and weights of `features`."""
MOST_CORRECTION = 3.0
# The sizes that were measured: beyond them the correction stays what it is there.
MOST_SIZES = (128, 512, 512, 512, 25, 15)
# Features of the second order are made as small as the others, so that a fit can treat them alike.
PAIR, FLAGGED = 0.25, 0.5


@functools.lru_cache(maxsize=16)
def features(work: DiscretisedWork) -> tuple[float, ...]:
    """Return the logarithms of sizes, what else matters as 0 or 1, and products of two of these."""
    whole = work.whole
    sizes = (
        whole.batch,
        whole.inputs,
        whole.outputs,
        math.sqrt(math.prod(whole.input_map)),
        math.sqrt(math.prod(whole.size)),
        whole.atoms,
    )
    flags = (
        whole.inputs == 1,
        whole.inputs % 8 > 0,
        whole.outputs % 8 > 0,
        work.channels_last,
        whole.inputs < 8,
        whole.outputs < 8,
    )
    if whole.training:
        flags = (*flags, work.learned, whole.input_gradient)
    logs = [math.log(min(n, most)) for n, most in zip(sizes, MOST_SIZES, strict=True)]
    return (
        1.0,
        *logs,
        *(math.log(lanes(n)) for n in (whole.inputs, whole.outputs)),
        *map(float, flags),
        *(PAIR * a * b for a, b in itertools.combinations_with_replacement(logs, 2)),
        *(FLAGGED * flag * n for flag in flags for n in logs),
    )


def fitted_seconds(
    terms: Terms,
    work: DiscretisedWork,
    places: Sequence[int],
    rates: Terms,
    weights: tuple[float, ...],
) -> float:
    """Return the estimated seconds of a way, by its terms at some places."""
    base = sum(terms[n] * rate for n, rate in zip(places, rates, strict=True))
    correction = sum(w * f for w, f in zip(weights, features(work), strict=True))
    return base * math.exp(min(max(correction, -MOST_CORRECTION), MOST_CORRECTION))
