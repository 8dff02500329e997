"""Built-in images with boundaries for the smoke preset: coloured textured blobs, three annotators.

They are made, not photographed: results on them are never compared with the thesis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from structnets.data.sets.boundary_split import BoundarySplit, pack_annotators
from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.preparation import Content, Preparation
from structnets.data.sets.textured_blobs import TexturedBlobs, to_bytes
from structnets.data.sets.textures import Textures, load_textures

NAME = "made_boundaries"
_COUNTS = {"train": 12, "val": 4, "test": 4}
_SEED = 0
_SHIFTS = (-1, 0, 1)  # columns by which annotators disagree; the middle one's are the labels


def read(asked: Preparation) -> Content:
    """Make the images; they are stored as boundaries."""
    return Content(load_made_boundaries(), made_source())


def load_made_boundaries() -> dict[str, BoundarySplit]:
    """Make ``train``, ``val`` and ``test``; the same bytes on every machine.

    Every fourth image says that it was upright, and stands so before the benchmark sees it.
    Images of test show parts of the textures that no other has.
    """
    splits, first = {}, 0
    for split, count in _COUNTS.items():
        textures = load_textures(None, "test" if split == "test" else "train")
        splits[split] = _make(textures, range(first, first + count))
        first += count
    return splits


def made_source() -> dict[str, Any]:
    """Describe the origin of the textures, for the manifest of the prepared data."""
    from importlib.metadata import version

    return {"made": True, "packages": {"scikit-image": version("scikit-image")}}


def _make(textures: Textures, numbers: Sequence[int]) -> BoundarySplit:
    channels, height, width = ENTRIES[NAME].image_shape
    blobs = TexturedBlobs("textures", width, _SEED, textures)
    images, labels, packed, items = [], [], [], []
    for number in numbers:
        sample, rng = blobs[number], np.random.default_rng([_SEED, number, channels])
        tints = rng.uniform(0.5, 1, (2, channels, 1, 1))
        coloured = np.where(sample.mask > 0, tints[0], tints[1]) * sample.image
        boundary = sample.boundary[0, :height] > 0
        truths = np.stack([np.roll(boundary, shift, axis=1) for shift in _SHIFTS])
        images.append(to_bytes(coloured[:, :height]))
        labels.append(boundary.astype(np.uint8))
        packed.append(pack_annotators(truths))
        items.append(
            {"id": f"{number:02d}", "transposed": number % 4 == 3, "annotators": len(truths)}
        )
    return BoundarySplit(np.stack(images), np.stack(labels), np.concatenate(packed), items)
