"""Scales of a Gaussian basis: checked where they come in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def as_scales(sigmas: float | Sequence[float]) -> tuple[float, ...]:
    """Return scales as a tuple of floats, from one number or several.

    Parameters
    ----------
    sigmas : float or sequence of float
        Scales in pixels, ascending; numbers of NumPy and tensors count as numbers.

    Raises
    ------
    TypeError
        If they are no numbers; a text is no sequence of scales.
    ValueError
        If they are not finite, positive and ascending.

    Examples
    --------
    >>> as_scales(1.5), as_scales([1, 2])
    ((1.5,), (1.0, 2.0))
    """
    try:
        found = tuple(float(s) for s in _several(sigmas))
    except (TypeError, ValueError):
        raise TypeError(
            f"sigmas must be a number or a sequence of numbers, in pixels; got {sigmas!r}"
        ) from None
    if (
        not found
        or not all(math.isfinite(s) and s > 0 for s in found)
        or list(found) != sorted(set(found))
    ):
        raise ValueError(f"sigmas must be positive and ascending, got {sigmas!r}")
    return found


def _several(sigmas: Any) -> Any:
    if isinstance(sigmas, (str, bytes, bool)):
        raise TypeError
    alone = isinstance(sigmas, (int, float)) or getattr(sigmas, "ndim", 1) == 0
    return (sigmas,) if alone else sigmas
