"""Textured blobs as prepared data: a fixed test set, and the textures that training is made of.

The folder holds ``train_textures.npy``, uint8, the pixels of all training textures behind one
another (their sizes stand in the manifest), and the test set as
`structnets.forms.boundaries.stored` keeps a split. So a training reads nothing else, and the
digest of what it saw covers the textures.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.manifest import (
    check_files,
    file_problem,
    load_manifest,
    open_arrays,
    remedy,
)
from structnets.data.prepared.whole_folder import write_whole
from structnets.data.sets.boundary_split import BoundarySplit, pack_annotators
from structnets.data.sets.preparation import Content, Preparation
from structnets.data.sets.textured_blobs import TexturedBlobs, to_bytes
from structnets.data.sets.textures import Textures
from structnets.forms.boundaries.stored import count_boundaries, save_boundary_split
from structnets.forms.entries import BLOB_FILES

TEST_SEED = 0  # training streams have seeds of 63 bits
_WEIGHED = 200  # samples of the training stream that tell how rare outlines are
_TEXTURES = BLOB_FILES[0]


def draw_blobs(blobs: TexturedBlobs, count: int) -> BoundarySplit:
    """Draw the first samples of a stream as a split; each has one annotator, its target.

    Grey values of textures have 8 bits, so that nothing is lost.
    """
    images, boundaries, _ = blobs.batch(0, count)
    labels = boundaries[:, 0].astype(np.uint8)
    items = [{"id": f"{index:04d}", "transposed": False, "annotators": 1} for index in range(count)]
    return BoundarySplit(to_bytes(images), labels, pack_annotators(labels != 0), items)


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store the textures that a data set's function read (`structnets.forms.writing.write`).

    The data of `content` are the `Textures` of ``train`` and ``test``. The prepare parameter
    ``difficulty`` says what is drawn of them; the entry's first is the default.
    """
    entry, difficulty = asked.entry, str(asked.option("difficulty"))
    textures: Mapping[str, Textures] = content.data
    train, test = textures["train"], textures["test"]
    side = entry.image_shape[-1]
    drawn = draw_blobs(TexturedBlobs(difficulty, side, TEST_SEED, test), entry.test_count)
    weighed = draw_blobs(TexturedBlobs(difficulty, side, TEST_SEED + 1, train), _WEIGHED)
    images = [to_bytes(image) for images in train.classes.values() for image in images]
    facts = {
        "form": "blobs",
        "dataset": asked.name,
        "prepare": dict(asked.prepare),
        "image_shape": list(entry.image_shape),
        "classes": list(entry.classes),
        "difficulty": difficulty,
        "textures": {
            name: [list(image.shape) for image in images] for name, images in train.classes.items()
        },
        "splits": {"test": drawn.items},
        "counts": {"train": count_boundaries(weighed), "test": count_boundaries(drawn)},
        "source": {"textures": train.source},
    }

    def fill(building: Path) -> None:
        save_array(building / _TEXTURES, np.concatenate([image.reshape(-1) for image in images]))
        save_boundary_split(building, "test", drawn)

    return write_whole(directory, BLOB_FILES, facts, fill)


def load_train_textures(directory: str | os.PathLike[str]) -> Textures:
    """Open the textures that training images are made of.

    Raises
    ------
    FileNotFoundError
        If the manifest is missing.
    ValueError
        If the file is not what the manifest says.
    """
    manifest = load_manifest(directory)
    check_files(directory, manifest, [_TEXTURES])
    if problem := file_problem(directory, _TEXTURES, manifest["files"][_TEXTURES], checksum=True):
        raise ValueError(f"{problem}; {remedy(directory)}")
    (pixels,) = open_arrays(directory, _TEXTURES)
    classes: dict[str, list[np.ndarray]] = {}
    first = 0
    for name, shapes in manifest["textures"].items():
        classes[name] = []
        for height, width in shapes:
            part = pixels[first : first + height * width]
            classes[name].append(part.reshape(height, width) / 255)
            first += height * width
    if first != len(pixels):
        raise ValueError(f"{directory}: {_TEXTURES} has other sizes; {remedy(directory)}")
    return Textures(manifest["source"]["textures"], classes)
