"""Answers that images in shards have in place of a class: ``<split>_<name>.npy``, a row an image.

The manifest repeats them, in the order of the images, since its digest covers files alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SCORES, LABEL_SETS = "scores", "label_sets"
ANSWERS = frozenset({SCORES, LABEL_SETS})
"""Scores are a number each; label sets the places, among the classes, of the labels of each."""


def as_array(name: str, stated: Sequence[Any], classes: Sequence[str]) -> np.ndarray:
    """Return answers as they are stored: scores (N,) float64, label sets (N, classes) uint8."""
    return np.array(stated, dtype=np.float64) if name == SCORES else members(stated, len(classes))


def members(sets: Sequence[Sequence[int]], labels: int) -> np.ndarray:
    """Return 1 where a set has a label, (N, labels) uint8.

    Examples
    --------
    >>> members([[0, 2], []], 3).tolist()
    [[1, 0, 1], [0, 0, 0]]
    """
    found = np.zeros((len(sets), labels), dtype=np.uint8)
    for row, places in enumerate(sets):
        found[row, list(places)] = 1
    return found


def counted_as(
    name: str, stated: Sequence[Any], classes: Sequence[str], split: str
) -> Sequence[str]:
    """Return the one class that all images of a split with answers are counted as.

    Raises
    ------
    ValueError
        If no image of the split has a label, or all have.
    """
    if name == SCORES:
        return classes
    counts = members(stated, len(classes)).sum(0)
    for label, count in zip(classes, counts.tolist(), strict=True):
        if count in (0, len(stated)):
            have = "has" if not count else "is without"
            raise ValueError(f"no usable image for {split} {have} the label {label}")
    return ("pictures",)


def answer_problem(
    name: str, split: str, stored: np.ndarray, manifest: Mapping[str, Any]
) -> str | None:
    """Say in what the answers of a split differ from what the manifest states, or return None."""
    stated = manifest.get(name, {}).get(split, [])
    wanted = as_array(name, stated, manifest["classes"])
    if stored.dtype != wanted.dtype or not np.array_equal(stored, wanted):
        return f"states other {split} {name} than lie in it"
    if sum(manifest["counts"].get(split, {}).values()) != len(stored):
        return f"states other {split} counts than it has {name}"
    return None
