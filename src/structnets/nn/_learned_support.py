"""Per what a layer learns its scales, and how much room their filters have."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

from torch import Tensor

from structnets.bases.discretisation import Discretisation, check_discretisation, default_radius

LearnSigma = Literal["layer", "group", "channel"]
# Taps below this part of the largest are left out of a learned scale's plain convolution.
NEGLIGIBLE = 1e-7


def resolve_learn_sigma(value: bool | str) -> LearnSigma | None:
    """Return per what a scale is learned; None if it is not.

    Raises
    ------
    ValueError
        If the value is not allowed.
    """
    if value is False:
        return None
    if value is True:
        return "layer"
    for allowed in get_args(LearnSigma):
        if value == allowed:
            return allowed
    names = ", ".join(map(repr, get_args(LearnSigma)))
    raise ValueError(f"learn_sigma must be a bool or one of {names}; got {value!r}")


def check_sigma_factor(factor: float) -> None:
    """Refuse a factor that leaves nothing to learn.

    Raises
    ------
    ValueError
        If so.
    """
    if not (factor > 1 and math.isfinite(factor)):
        raise ValueError(f"sigma_factor must be finite and > 1, got {factor}")


def learned_size(
    order: int, sigmas: Sequence[float], discretisation: Discretisation, factor: float
) -> int:
    """Return the default support of scales that may grow by a factor."""
    check_discretisation(discretisation)
    return 2 * default_radius(order, max(sigmas) * factor, discretisation) + 1


def without_rim(
    kernel: Tensor, padding: Sequence[int], dilation: Sequence[int]
) -> tuple[Tensor, tuple[int, int]]:
    """Cut what is zero to single precision off filters (O, I, K, L), and padding as much.

    A learned scale's support has room for the largest that it may reach.
    """
    needed = kernel.detach().abs().amax((0, 1)) > NEGLIGIBLE * kernel.detach().abs().max()
    drop = []
    for axis in range(2):
        used = needed.any(1 - axis).nonzero().flatten().tolist() or [kernel.shape[2 + axis] // 2]
        rim = min(used[0], kernel.shape[2 + axis] - 1 - used[-1])
        drop.append(min(rim, padding[axis] // dilation[axis]))
    y, x = (slice(d, n - d) for d, n in zip(drop, kernel.shape[2:], strict=True))
    left = [p - r * d for p, r, d in zip(padding, drop, dilation, strict=True)]
    return kernel[:, :, y, x], (left[0], left[1])
