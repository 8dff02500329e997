"""A built-in stand-in for ImageNet: JPEG crops of ten photographs in the archives of ILSVRC 2012.

It is for the smoke preset. The photographs come with scikit-image and scikit-learn; a class is a
photograph. This is not ImageNet: results on it are never compared with the thesis.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from structnets.data.originals.imagenet_archives import write_archives
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.imagenet import find_originals, images_of, select_classes
from structnets.data.sets.photo_crops import photo_source, read_photograph
from structnets.data.sets.preparation import Content, Preparation

_TRAIN_PART = 0.7  # crops of the test split come from the rest of each photograph's width
_SIDES = (90, 240)  # of crops, in pixels
_SEED = 0


def read(asked: Preparation) -> Content:
    """Make the archives and read them as ImageNet's; they are stored as shards.

    Raises
    ------
    ValueError
        If no scratch folder is given.
    """
    if asked.scratch is None:
        raise ValueError(f"{asked.name} needs a scratch folder for its archives")
    write_photo_archives(asked.scratch)
    originals = find_originals(asked.scratch, partial=True)
    check_whole(asked.name, originals.counts(), asked.prepare, asked.scratch)
    classes = select_classes(originals.train, len(originals.train))
    return Content(images_of(originals, classes), photo_source())


def write_photo_archives(folder: Path) -> None:
    """Write the three archives, with 8 training and 4 test images of each photograph.

    No pixel is in both splits. Classes are called ``n00000001`` and so on, in the order of the
    catalogue's names.
    """
    facts = ENTRIES["photo_shards"]
    counts = {"train": facts.train_count, "test": facts.test_count}
    splits: dict[str, dict[str, dict[str, bytes]]] = {split: {} for split in counts}
    random = np.random.Generator(np.random.PCG64(_SEED))
    for number, name in enumerate(facts.classes, 1):
        photograph, wnid = read_photograph(name), f"n{number:08d}"
        border = int(photograph.shape[1] * _TRAIN_PART)
        parts = {"train": photograph[:, :border], "test": photograph[:, border:]}
        for split, part in parts.items():
            each = counts[split] // len(facts.classes)
            splits[split][wnid] = {
                f"{wnid}_{index}.JPEG": _crop(part, random) for index in range(each)
            }
    write_archives(folder, splits["train"], splits["test"])


def _crop(part: np.ndarray, random: np.random.Generator) -> bytes:
    """Cut a crop of random size and place, and encode it."""
    from PIL import Image

    window = []
    for side in part.shape[:2]:
        length = int(random.integers(_SIDES[0], min(_SIDES[1], side) + 1))
        start = int(random.integers(0, side - length + 1))
        window.append(slice(start, start + length))
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(part[tuple(window)])).save(stream, "JPEG", quality=90)
    return stream.getvalue()
