"""Writing shards: one self-contained task for each, in any process, at any time, in any order.

A task verifies, resizes and stores a list of images. Its record is written last: a shard with a
record is done, and a preparation that was killed continues with those that have none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.data.originals.picture import decode_picture
from structnets.data.originals.tars import FileRange
from structnets.data.originals.verified_image import (
    BrokenImageError,
    decode_verified,
    encode,
    fit,
    pixels,
    side_of,
)
from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.shards import INDEX, shard_name
from structnets.files import atomic_path, read_json, write_json

Kind = Literal["jpeg", "picture"]
_FEWEST_IMAGES = 256
_MOST_SHARDS = 512


@dataclass(frozen=True)
class ShardTask:
    """One shard to write.

    Attributes
    ----------
    building : str
        Folder of the preparation: images go to ``data`` in it, records to ``records``.
    split : str
        ``train`` or ``test``.
    number : int
        Of the shard in its split.
    files : tuple of FileRange
        The images, in order.
    labels : tuple of int
        Their classes.
    geometry, storage : str
        As `structnets.data.originals.verified_image.fit` and ``encode`` know them.
    kind : {"jpeg", "picture"}
        What the originals are: JPEGs alone, or pictures of any format
        (`structnets.data.originals.picture`).
    """

    building: str
    split: str
    number: int
    files: tuple[FileRange, ...]
    labels: tuple[int, ...]
    geometry: str
    storage: str
    kind: Kind = "jpeg"

    @property
    def squashed(self) -> bool:
        """Whether all images have one size, so that they have a mean."""
        return self.geometry.startswith("squash")

    @property
    def path(self) -> Path:
        """The file of images."""
        return Path(self.building) / "data" / shard_name(self.split, self.number)

    @property
    def record(self) -> Path:
        """The record of what the file holds, its index, and the sum of its images."""
        return self._recorded(".json")

    @property
    def index(self) -> Path:
        """The rows of the split's index that belong to this shard."""
        return self._recorded(".index.npy")

    @property
    def total(self) -> Path:
        """The sum of the images, (3, side, side) int64, where they are all of that size."""
        return self._recorded(".sum.npy")

    def _recorded(self, suffix: str) -> Path:
        return Path(self.building) / "records" / f"{self.path.stem}{suffix}"

    def done(self) -> bool:
        """Say whether the shard was written whole."""
        if not self.record.is_file() or not self.path.is_file():
            return False
        return self.path.stat().st_size == read_json(self.record)["size"]


def images_per_shard(images: int) -> int:
    """Return how many originals go into a shard of a split.

    Few enough to spread over processes and to lose little when killed; so many that all shards
    can be mapped at once, which takes an open file each.
    """
    return max(_FEWEST_IMAGES, -(-images // _MOST_SHARDS))


class _Contents:
    """What is known of the images written so far."""

    def __init__(self, task: ShardTask) -> None:
        self.task, self.size, self.digest = task, 0, hashlib.sha256()
        self.rows: list[tuple[int, ...]] = []
        self.names: list[str] = []
        self.quarantined: list[dict[str, str]] = []
        self.sides: list[int] = []  # of pictures, before they were resized
        self.converted: Counter[str] = Counter()
        self.histogram = np.zeros((3, 256), dtype=np.int64)
        side = side_of(task.geometry)
        self.total = np.zeros((3, side, side), dtype=np.int64)

    def take(self, file: FileRange, label: int) -> bytes:
        """Verify an original and return what is stored of it: nothing of a broken one."""
        content, geometry = file.read(), self.task.geometry
        try:
            if self.task.kind == "picture":
                picture = decode_picture(content, side_of(geometry))
                image, converted = picture.image, picture.converted
                self.sides += picture.size
            else:
                image, converted = decode_verified(content)
            image = fit(image, geometry)
        except BrokenImageError as error:
            self.quarantined.append({"file": file.name, "reason": str(error)})
            return b""
        planes, stored = pixels(image), encode(image, self.task.storage)
        self.histogram += np.array(image.histogram()).reshape(3, 256)
        if self.task.squashed:
            self.total += planes
        self.converted.update([converted] if converted else [])
        self.names.append(file.name)
        self.rows.append(
            (self.task.number, self.size, len(stored), image.height, image.width, label)
        )
        self.digest.update(stored)
        self.size += len(stored)
        return stored

    def record(self) -> dict[str, Any]:
        """Return the record of the shard."""
        return {
            "sha256": self.digest.hexdigest(),
            "size": self.size,
            "names": self.names,
            "quarantined": self.quarantined,
            "converted": dict(self.converted),
            "histogram": self.histogram.tolist(),
            **({"sides": [min(self.sides), max(self.sides)]} if self.sides else {}),
        }


def write_shard(task: ShardTask) -> None:
    """Write one shard with its index and record; broken images are quarantined in the record.

    Raises
    ------
    OSError, ValueError
        If an original cannot be read, or writing fails; no record is left then.
    """
    contents = _Contents(task)
    with atomic_path(task.path) as temporary, temporary.open("wb") as target:
        for file, label in zip(task.files, task.labels, strict=True):
            target.write(contents.take(file, label))
    save_array(task.index, np.array(contents.rows, dtype=INDEX))
    if task.squashed:
        save_array(task.total, contents.total)
    write_json(task.record, contents.record())
