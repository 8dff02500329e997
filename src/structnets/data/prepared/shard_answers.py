"""Answers that images in shards have in place of a class: ``<split>_<name>.npy``, a row an image.

The manifest repeats them, in the order of the images, since its digest covers files alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SCORES = "scores"
ANSWERS = frozenset({SCORES})
"""Scores are a number each."""


def as_array(name: str, stated: Sequence[Any], classes: Sequence[str]) -> np.ndarray:
    """Return answers as they are stored: scores (N,) float64."""
    return np.array(stated, dtype=np.float64)


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
