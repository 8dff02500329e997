"""Images whose annotators drew outlines, as they are read, stored and trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class BoundarySplit:
    """One split.

    Attributes
    ----------
    images : numpy.ndarray
        (N, C, H, W) uint8.
    labels : numpy.ndarray
        (N, H, W) uint8, 1 at boundaries.
    annotators : numpy.ndarray
        (M, H, ceil(W / 8)) uint8, M the sum of all images' annotators.
    items : sequence of dict
        For each image ``id``, ``transposed`` (the original stands upright) and ``annotators``.
    """

    images: np.ndarray
    labels: np.ndarray
    annotators: np.ndarray
    items: Sequence[Mapping[str, Any]]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.items)

    def truths(self, index: int) -> np.ndarray:
        """Return the boundaries that each annotator of an image drew, (A, H, W) bool."""
        first = sum(item["annotators"] for item in self.items[:index])
        packed = self.annotators[first : first + self.items[index]["annotators"]]
        return np.unpackbits(packed, axis=-1, count=self.images.shape[-1]).astype(np.bool_)


def pack_annotators(truths: np.ndarray) -> np.ndarray:
    """Pack (A, H, W) bool into (A, H, ceil(W / 8)) uint8."""
    return np.packbits(truths, axis=-1)
