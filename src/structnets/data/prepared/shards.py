"""Prepared images in shards, for data sets too large for one array.

A split is a few files ``<split>_shard00000.bin`` of images, one after the other, and an index
``<split>_index.npy`` with a row for each image. Rows of pixels (``raw``) are mapped, not read:
the operating system keeps what fits into memory. JPEGs are decoded by who reads them.

Which of the two, for all 1,281,167 training images? Raw takes 253 GB squashed to 256x256 (289 GB
with the aspect kept), JPEG of quality 95 without colour subsampling 42 GB (46 GB). From raw, two
threads made training batches 6.6 times as fast as torchvision from files (4.5 times with random
resized crops), from JPEG 3.2 times (2.6 times); see ``tests/benchmarks/test_images.py``. Raw is
exactly what the originals give, JPEG 45 dB from it. So raw is the default; the ten- and hundred-
class subsets take 2.6 and 26 GB of it. JPEG is for a disk that is smaller, or that does not give
0.2 MB for each image at the speed of the training.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.data.prepared.jpeg_rows import decode_rows
from structnets.data.prepared.manifest import (
    SPLITS,
    check_files,
    file_problem,
    load_manifest,
    remedy,
)

SHARDS = "shards"
MEAN_IMAGE = "mean_image.npy"
_FILE = re.compile(r"(train|test)_(shard\d{5}\.bin|index\.npy|names\.txt|(scores|label_sets)\.npy)")

INDEX = np.dtype(
    [
        *(("shard", "<i4"), ("offset", "<i8"), ("size", "<i4")),
        *(("height", "<u2"), ("width", "<u2"), ("label", "<i8")),
    ]
)


def shard_name(split: str, number: int) -> str:
    """Return the file name of a shard."""
    return f"{split}_shard{number:05d}.bin"


def is_sharded(manifest: Mapping[str, Any]) -> bool:
    """Say whether images lie in shards, not in arrays."""
    return manifest.get("form") == SHARDS


def is_shard_file(name: str) -> bool:
    """Say whether a file of that name belongs to prepared data in shards."""
    return name == MEAN_IMAGE or _FILE.fullmatch(name) is not None


class ShardedSplit:
    """One split of sharded prepared data, open for reading from any number of threads.

    Parameters
    ----------
    directory : path
        Folder of the prepared data.
    split : {"train", "test"}
        Which split.
    checksum : bool
        Verify the SHA-256 of every shard first, which reads all of it. Without, sizes, and the
        index whole, are still checked.

    Attributes
    ----------
    labels, heights, widths : numpy.ndarray
        (N,) int64: class and size in pixels of each image.
    encoded : bool
        Whether images are JPEGs.
    manifest : dict
        The manifest of the folder.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder does not hold such data, or a file is not what its manifest says.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        split: Literal["train", "test"],
        *,
        checksum: bool = False,
    ) -> None:
        if split not in SPLITS:
            raise ValueError(f"unknown split {split!r}; allowed: {', '.join(SPLITS)}")
        self.manifest = load_manifest(directory)
        if not is_sharded(self.manifest):
            raise ValueError(f"{directory} is not in shards: open it as its form does")
        check_files(directory, self.manifest, [f"{split}_index.npy", shard_name(split, 0)])
        names = sorted(name for name in self.manifest["files"] if name.startswith(f"{split}_"))
        for name in names:
            entry, whole = self.manifest["files"][name], checksum or not name.endswith(".bin")
            if problem := file_problem(directory, name, entry, checksum=whole):
                raise ValueError(f"{problem}; {remedy(directory)}")
        self.encoded = self.manifest["storage"] == "jpeg"
        index = np.load(Path(directory) / f"{split}_index.npy", allow_pickle=False)
        shards = [Path(directory) / name for name in names if name.endswith(".bin")]
        self._maps = [_map(path) for path in shards]
        self._check_index(index, directory)
        columns = [index[name].astype(np.int64) for name in INDEX.names or ()]
        self._shards, self._offsets, self._sizes = columns[:3]
        self.heights, self.widths, self.labels = columns[3:]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.labels)

    def stored(self, row: int) -> np.ndarray:
        """Return the stored bytes of an image, (size,) uint8, without copying them."""
        start = self._offsets[row]
        return self._maps[self._shards[row]][start : start + self._sizes[row]]

    def pixels(self, row: int, top: int = 0, bottom: int | None = None) -> np.ndarray:
        """Return an image, (H, W, 3) uint8 RGB; raw ones are mapped, not copied.

        Parameters
        ----------
        row : int
            Which image.
        top, bottom : int
            Its first row of pixels, and the one after its last: by default all of them.

        Raises
        ------
        ValueError
            If its JPEG is damaged.
        """
        content, height = self.stored(row), int(self.heights[row])
        bottom = height if bottom is None else bottom
        if not self.encoded:
            return content.reshape(height, self.widths[row], 3)[top:bottom]
        try:
            return decode_rows(content, top, bottom)
        except ValueError as error:
            raise ValueError(f"image {row} is {error}") from error

    def _check_index(self, index: np.ndarray, directory: str | os.PathLike[str]) -> None:
        """Refuse an index that points out of its shards."""
        if index.dtype != INDEX or index.ndim != 1 or not len(index):
            raise ValueError(f"{directory} has no index of images; {remedy(directory)}")
        sizes = np.array([len(content) for content in self._maps])
        known = (index["shard"] >= 0) & (index["shard"] < len(sizes))
        ends = index["offset"] + index["size"]
        inside = (
            known & (index["offset"] >= 0) & (ends <= sizes[np.where(known, index["shard"], 0)])
        )
        pixels = index["height"].astype(np.int64) * index["width"] * 3
        if not inside.all() or (not self.encoded and (pixels != index["size"]).any()):
            raise ValueError(f"{directory}: its index points out of a shard; {remedy(directory)}")


def _map(path: Path) -> np.ndarray:
    """Map a file, (bytes,) uint8, copy-on-write: writing to it never reaches the file."""
    if not path.stat().st_size:  # every image of the shard was broken
        return np.empty(0, dtype=np.uint8)
    with path.open("rb") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), dtype=np.uint8)
