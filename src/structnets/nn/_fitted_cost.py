"""Estimates of what a Gaussian layer's ways take: arithmetic, corrected by powers of sizes.

Times differ more from way to way, and with sizes, than sums of products and traffic explain: short
filters, few channels and channels that fill no register are slow in ways of their own. So what the
terms of `structnets.nn._discretised_terms` add up to is multiplied by powers of the sizes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from structnets.nn._discretised_terms import DiscretisedWork, Terms, lanes

Fitted = dict[str, tuple[Terms, tuple[float, ...]]]
"""By kind of way, seconds per term, and powers of `features`."""
MOST_CORRECTION = 3.0


def features(work: DiscretisedWork) -> tuple[float, ...]:
    """Return the logarithms of sizes, and what else matters, as 0 or 1."""
    whole = work.whole
    sizes = (
        whole.batch,
        whole.inputs,
        whole.outputs,
        math.sqrt(math.prod(whole.input_map)),
        math.sqrt(math.prod(whole.size)),
        whole.atoms,
        lanes(whole.inputs),
        lanes(whole.outputs),
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
    return (1.0, *map(math.log, sizes), *map(float, flags))


def fitted_seconds(
    terms: Terms,
    work: DiscretisedWork,
    places: Sequence[int],
    rates: Terms,
    powers: tuple[float, ...],
) -> float:
    """Return the estimated seconds of a way, by its terms at some places."""
    base = sum(terms[n] * rate for n, rate in zip(places, rates, strict=True))
    correction = sum(p * f for p, f in zip(powers, features(work), strict=True))
    return base * math.exp(min(max(correction, -MOST_CORRECTION), MOST_CORRECTION))
