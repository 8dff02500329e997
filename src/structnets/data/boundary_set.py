"""Prepared images with boundary labels: arrays of whole images that trainings crop from.

One folder holds, for each split, ``<split>_images.npy`` uint8 (N, 3, H, W),
``<split>_labels.npy`` uint8 (N, H, W) of 0 and 1, and ``<split>_annotators.npy``, the annotators'
maps behind one another with eight pixels of a row in a byte, uint8 (M, H, ceil(W / 8)). The
manifest is removed first and written last: a folder without one is not whole.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.manifest import MANIFEST, content_digest, file_problem, remedy
from structnets.files import read_json, sha256_file, write_json

_KINDS = ("images", "labels", "annotators")


@dataclass(frozen=True)
class BoundarySplit:
    """One split.

    Attributes
    ----------
    images : numpy.ndarray
        (N, 3, H, W) uint8.
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


def boundary_files(splits: Sequence[str]) -> list[str]:
    """Name the arrays of a prepared folder."""
    return [f"{split}_{kind}.npy" for split in splits for kind in _KINDS]


def write_boundary_set(
    directory: str | os.PathLike[str],
    dataset: str,
    prepare: Mapping[str, Any],
    splits: Mapping[str, BoundarySplit],
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Write prepared splits; what is already there, whole and the same, is not touched.

    Parameters
    ----------
    directory : path
        The folder to make.
    dataset : str
        Name of the data set.
    prepare : mapping
        Parameters of the preparation, plain JSON.
    splits : mapping
        Names and data.
    facts : mapping
        What else the manifest states, plain JSON: source, counts.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    OSError
        If writing fails; the folder then has no manifest, or its old content.
    """
    final = Path(directory).resolve()
    final.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".part", dir=final.parent))
    try:
        files = {name: _save(building / name, array) for name, array in _arrays(splits).items()}
        manifest = {
            "dataset": dataset,
            "prepare": dict(prepare),
            "image_shape": list(next(iter(splits.values())).images.shape[1:]),
            "splits": {name: list(map(dict, split.items)) for name, split in splits.items()},
            "files": files,
            "versions": {"numpy": np.__version__, "python": platform.python_version()},
            "digest": content_digest(dataset, prepare, files),
            **facts,
        }
        if _holds(final, manifest):
            return read_json(final / MANIFEST)
        final.mkdir(exist_ok=True)
        (final / MANIFEST).unlink(missing_ok=True)
        for name in files:
            (building / name).replace(final / name)
        write_json(final / MANIFEST, manifest)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return manifest


def load_boundary_split(
    directory: str | os.PathLike[str], split: str, *, checksum: bool = True
) -> BoundarySplit:
    """Open one split, its arrays mapped copy-on-write.

    Parameters
    ----------
    directory : path
        Folder of the prepared data.
    split : str
        Name of the split.
    checksum : bool
        Verify the SHA-256 of its files first.

    Raises
    ------
    FileNotFoundError
        If the manifest is missing.
    ValueError
        If `split` is unknown, or a file is not what the manifest says.
    """
    path = Path(directory) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {remedy(directory)}")
    manifest = read_json(path)
    if split not in manifest.get("splits", {}):
        raise ValueError(f"unknown split {split!r}; {path} has: {', '.join(manifest['splits'])}")
    for name in boundary_files([split]):
        if problem := file_problem(directory, name, manifest["files"][name], checksum):
            raise ValueError(f"{problem}; {remedy(directory)}")
    arrays = [
        np.lib.format.open_memmap(Path(directory) / name, mode="c")
        for name in boundary_files([split])
    ]
    return BoundarySplit(*arrays, items=manifest["splits"][split])


def _arrays(splits: Mapping[str, BoundarySplit]) -> dict[str, np.ndarray]:
    return {
        f"{name}_{kind}.npy": getattr(split, kind)
        for name, split in splits.items()
        for kind in _KINDS
    }


def _save(path: Path, array: np.ndarray) -> dict[str, Any]:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
    return {"sha256": sha256_file(path), "size": path.stat().st_size}


def _holds(final: Path, manifest: Mapping[str, Any]) -> bool:
    """Tell whether the folder has this very content, every byte."""
    try:
        old = read_json(final / MANIFEST)
    except (OSError, ValueError):
        return False
    return old == manifest and not any(
        file_problem(final, name, entry, checksum=True) for name, entry in manifest["files"].items()
    )
