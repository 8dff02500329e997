"""Which images a training uses: seeded subsets of the training set and validation splits.

Order and choice come from raw PCG64 words, whose stream NumPy guarantees, not from a
`Generator` method, which may change between releases: a seed means the same images for good.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

_VALIDATION_STREAM = 1


def train_indices(n_total: int, size: int | None, seed: int) -> np.ndarray:
    """Shuffle the training set by `seed` and take its first `size` images (thesis section 3.4.2).

    Subsets of one seed are nested: a larger one begins with a smaller one.

    Parameters
    ----------
    n_total : int
        Number of images of the training set.
    size : int or None
        Number of images to take; None takes all, in shuffled order too.
    seed : int
        Non-negative.

    Returns
    -------
    numpy.ndarray
        (size,) int64, distinct, in 0..n_total-1.

    Raises
    ------
    ValueError
        If `size` is larger than the training set or a number is out of range.
    """
    _check_integer("n_total", n_total, 1)
    _check_integer("seed", seed, 0)
    if size is not None:
        _check_integer("size", size, 1)
        if size > n_total:
            raise ValueError(f"size {size} is larger than the training set of {n_total} images")
    return _shuffled(n_total, np.random.SeedSequence(seed))[:size]


def validation_split(
    indices: np.ndarray, fraction: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Set part of a training subset aside for validation.

    Parameters
    ----------
    indices : numpy.ndarray
        (N,) int64, the training subset.
    fraction : float
        Part to set aside, 0 <= fraction < 1; 0 sets nothing aside.
    seed : int
        Non-negative; its stream is independent of the one of `train_indices`.

    Returns
    -------
    training, validation : numpy.ndarray
        int64, disjoint; each keeps the order of `indices`.

    Raises
    ------
    ValueError
        If `fraction` is out of range, or would leave one of two wanted parts empty.
    """
    _check_integer("seed", seed, 0)
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction must be at least 0 and less than 1, got {fraction!r}")
    total = len(indices)
    count = int(fraction * total + 0.5)
    if fraction > 0 and not 0 < count < total:
        raise ValueError(
            f"fraction {fraction} of {total} images leaves {count} for validation and "
            f"{total - count} for training; both need at least one"
        )
    stream = np.random.SeedSequence(seed, spawn_key=(_VALIDATION_STREAM,))
    chosen = np.zeros(total, dtype=bool)
    chosen[_shuffled(total, stream)[:count]] = True
    return indices[~chosen], indices[chosen]


def _shuffled(count: int, stream: np.random.SeedSequence) -> np.ndarray:
    words = np.random.PCG64(stream).random_raw(count)
    return np.argsort(words, kind="stable").astype(np.int64)


def _check_integer(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")
