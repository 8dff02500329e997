"""What a Gaussian layer's ways take without gradients: arithmetic, corrected by powers of sizes.

Without a backward pass times differ more from way to way, and with sizes, than sums of products
and traffic explain: short filters, few channels and channels that fill no register are slow in ways
of their own. So each estimate of `structnets.nn._discretised_cost` is multiplied by powers of the
sizes. ``python -m tests.benchmarks.calibrate_cost_model`` measured and fitted both.
"""

from __future__ import annotations

import math

from structnets.nn._discretised_terms import DiscretisedWork, Terms, lanes

FORWARD = (0, 2, 4, 6)
"""The terms that there are without a backward pass."""
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
    return (1.0, *map(math.log, sizes), *map(float, flags))


def forward_seconds(
    terms: Terms, work: DiscretisedWork, rates: Terms, powers: tuple[float, ...]
) -> float:
    """Return the estimated seconds of a way."""
    base = sum(terms[n] * rate for n, rate in zip(FORWARD, rates, strict=True))
    correction = sum(p * f for p, f in zip(powers, features(work), strict=True))
    return base * math.exp(min(max(correction, -MOST_CORRECTION), MOST_CORRECTION))


# Seconds per term of `FORWARD`, and powers of `features`, fitted to random shapes on one core of a
# server processor with AVX2 (EPYC), in float32, of both layouts.
INFERENCE: dict[str, tuple[Terms, tuple[float, ...]]] = {
    "banded": (
        (2.2e-11, 5.11e-11, 4.82e-09, 0.000726),
        (
            -0.127,
            0.0268,
            0.0498,
            0.00138,
            -0.0245,
            -0.015,
            0.0188,
            0.0691,
            0.0428,
            0.119,
            0.0321,
            0.0375,
            0.123,
            -0.00225,
            -0.0132,
        ),
    ),
    "composed": (
        (3.46e-11, 1.22e-11, 7.18e-10, 0.000325),
        (
            0.107,
            -5.17e-05,
            -0.0379,
            -0.033,
            -0.0452,
            0.124,
            -0.00729,
            0.157,
            -0.0345,
            0.101,
            0.0379,
            0.0429,
            -0.0843,
            -0.0149,
            0.0142,
        ),
    ),
    "depthwise": (
        (1.14e-10, 3.31e-11, 3.53e-09, 0.000872),
        (
            -0.783,
            0.138,
            0.0878,
            0.0386,
            0.0593,
            0.323,
            -0.213,
            0.0231,
            0.0211,
            0.0315,
            0.0326,
            0.0458,
            -0.109,
            -0.0314,
            0.0321,
        ),
    ),
    "fft": (
        (6.58e-10, 5.51e-10, 4.47e-10, 0.000914),
        (
            -0.00978,
            0.0874,
            -0.0477,
            0.0265,
            0.0102,
            0.0321,
            0.0323,
            -0.0494,
            -0.0485,
            -0.0743,
            -0.0541,
            -0.00177,
            0.0412,
            -0.0201,
            0.0255,
        ),
    ),
    "mixed": (
        (8.05e-11, 4.59e-11, 0.0, 0.000434),
        (
            -0.0416,
            0.0993,
            0.0528,
            -0.0983,
            0.0296,
            0.00931,
            -0.00876,
            0.0196,
            -0.0477,
            0.0136,
            0.0252,
            0.0771,
            -0.0868,
            0.0278,
            0.285,
        ),
    ),
    "pieces banded": (
        (5.92e-11, 6.41e-11, 1.46e-09, 3.6e-05),
        (
            0.0307,
            0.0473,
            0.0425,
            -0.0197,
            0.00307,
            0.00533,
            -0.0958,
            0.104,
            -0.038,
            0.112,
            0.0136,
            0.0205,
            0.169,
            0.0624,
            0.011,
        ),
    ),
    "pieces dense": (
        (1.42e-11, 6.49e-11, 2.65e-10, 2.46e-05),
        (
            0.013,
            0.00629,
            -0.01,
            0.00502,
            -0.000966,
            -0.005,
            0.0,
            0.00502,
            0.0,
            0.0,
            0.00724,
            0.0,
            0.0,
            0.00724,
            0.0,
        ),
    ),
    "pieces differences": (
        (2.88e-11, 4.44e-11, 1.76e-09, 5.06e-05),
        (
            -0.123,
            0.0246,
            0.0728,
            -0.00682,
            0.0115,
            -0.00116,
            -0.0642,
            0.0425,
            -0.0355,
            0.0193,
            0.0247,
            0.0805,
            0.0926,
            0.0396,
            0.0313,
        ),
    ),
    "separable": (
        (1.72e-10, 5.7e-11, 4.71e-09, 0.000944),
        (
            -0.151,
            0.0973,
            0.0399,
            0.0231,
            0.0648,
            -0.0285,
            -0.132,
            0.044,
            0.0248,
            0.0489,
            0.00633,
            0.0373,
            0.0795,
            0.00267,
            -0.0238,
        ),
    ),
    "stencils": (
        (2.73e-11, 5.24e-11, 1.85e-09, 0.000985),
        (
            0.225,
            0.012,
            0.0281,
            -0.03,
            -0.0603,
            -0.0249,
            -0.00514,
            0.0364,
            -0.0208,
            -0.000255,
            0.0331,
            0.0734,
            0.0194,
            0.00507,
            0.0365,
        ),
    ),
}
