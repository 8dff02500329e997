"""Pictures of one's own: as images in shards, but subsets keep the proportions of the classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.batches.subset import train_indices, validation_split
from structnets.data.prepared.shards import ShardedSplit
from structnets.forms.shards.source import ShardedImages, Sight
from structnets.specs.resolved import ShardSpec


def open_examples(
    spec: ShardSpec, prepared: Path, manifest: dict[str, Any]
) -> dict[str, ShardedImages]:
    """Open the pictures a spec uses (`structnets.forms.tasks.open_examples`)."""
    sight, seed = Sight.of(spec, prepared, manifest), spec["seed"]
    train, test = ShardedSplit(prepared, "train"), ShardedSplit(prepared, "test")
    chosen = stratified_subset(train.labels, spec["data"]["train_size"], seed)
    fraction = spec["recipe"]["evaluation"]["validation_fraction"]
    kept, held = validation_split(chosen, fraction, seed)
    examples = {
        "train": ShardedImages(train, kept, sight),
        "test": ShardedImages(test, np.arange(len(test)), sight),
    }
    if fraction:
        examples["validation"] = ShardedImages(train, held, sight)
    return examples


def stratified_subset(labels: np.ndarray, size: int | None, seed: int) -> np.ndarray:
    """Choose pictures by `seed` so that every class has its part of them.

    Subsets of one seed are nested. One of at least as many pictures as classes has all classes.

    Parameters
    ----------
    labels : numpy.ndarray, shape (N,), int64
        Class indices.
    size : int or None
        Number of pictures; None takes all.
    seed : int
        Non-negative.

    Returns
    -------
    numpy.ndarray
        (size,) int64, distinct, in 0..N-1.

    Raises
    ------
    ValueError
        If there are fewer than `size`.

    Examples
    --------
    >>> labels = np.array([0] * 30 + [1] * 10)
    >>> np.bincount(labels[stratified_subset(labels, 8, seed=0)]).tolist()
    [6, 2]
    """
    shuffled = train_indices(len(labels), None, seed)
    train_indices(len(labels), size, seed)  # refuses a size that is too large
    return shuffled[np.argsort(places_within(labels[shuffled]), kind="stable")][:size]


def places_within(classes: np.ndarray) -> np.ndarray:
    """Return how far down its class each of (N,) samples stands, from 0 to less than 1.

    Examples
    --------
    >>> places_within(np.array([1, 0, 1, 1, 1, 0])).tolist()
    [0.0, 0.0, 0.25, 0.5, 0.75, 0.5]
    """
    place = np.empty(len(classes))
    for name in np.unique(classes):
        of_class = np.flatnonzero(classes == name)
        place[of_class] = np.arange(len(of_class)) / len(of_class)
    return place
