"""Prepared data: four arrays and a manifest in one folder, the form that trainings read.

``train_images.npy`` and ``test_images.npy`` are uint8 (N, C, H, W), ``train_labels.npy`` and
``test_labels.npy`` int64 (N,). The folder is written whole or not at all, whatever kills the
writer, and every file is verified when it is opened. numpy and the standard library only.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.data.prepared.manifest import (
    ARRAYS,
    FILES,
    MANIFEST,
    SPLITS,
    content_digest,
    count_classes,
    file_problem,
    is_sharded,
    load_manifest,
    open_split,
    remedy,
    shape_problem,
    verify,
)
from structnets.data.prepared.whole_folder import write_whole
from structnets.files import atomic_path, sha256_file, write_json

__all__ = ["load_manifest", "load_split", "verify", "write_prepared"]


def write_prepared(
    directory: str | os.PathLike[str],
    dataset: str,
    prepare: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    classes: Sequence[str],
    source: Mapping[str, Any],
    *,
    statistics: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write prepared data so that `directory` is at any moment absent, the old or the new one.

    Parameters
    ----------
    directory : path
        The folder to make. What a killed writer left beside it is removed. If it already
        holds the same data, whole, it is not touched.
    dataset : str
        Name of the data set.
    prepare : mapping
        Parameters of the preparation, plain JSON.
    arrays : mapping
        ``train_images``, ``test_images``: (N, C, H, W) uint8; ``train_labels``,
        ``test_labels``: (N,) int64, indices into `classes`.
    classes : sequence of str
        Distinct class names.
    source : mapping
        Where the data came from, plain JSON.
    statistics : mapping, optional
        Mean and deviation of the training images
        (`structnets.data.prepared.statistics.channel_statistics`), for trainings that standardise.

    Returns
    -------
    dict
        The manifest of the folder.

    Raises
    ------
    ValueError
        If the arrays do not have that form, or `directory` holds files of another kind.
    OSError
        If writing fails; `directory` is then as it was.
    """
    _check_arrays(arrays, classes)

    def fill(building: Path) -> dict[str, Any]:
        return _fill(building, dataset, prepare, arrays, classes, source, statistics)

    return write_whole(directory, fill)


def load_split(
    directory: str | os.PathLike[str], split: Literal["train", "test"], *, checksum: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Open one split of prepared data.

    Parameters
    ----------
    directory : path
        Folder of the prepared data.
    split : {"train", "test"}
        Which split.
    checksum : bool
        Verify the SHA-256 of the two files first (0.05 s for MNIST). Without, sizes, shapes
        and types are still checked: for a process whose sibling has already verified them.

    Returns
    -------
    images : numpy.memmap
        (N, C, H, W) uint8, mapped copy-on-write: writing to it never reaches the file.
    labels : numpy.ndarray
        (N,) int64, in memory.

    Raises
    ------
    FileNotFoundError
        If the manifest or a file is missing.
    ValueError
        If `split` is unknown, or a file is not what the manifest says.
    """
    if split not in SPLITS:
        raise ValueError(f"unknown split {split!r}; allowed: {', '.join(SPLITS)}")
    manifest = load_manifest(directory)
    if is_sharded(manifest):
        raise ValueError(
            f"{directory} is sharded: open it with structnets.data.prepared.shards.ShardedSplit"
        )
    if manifest.get("form", "splits") != "splits":
        raise ValueError(f"{directory} is a {manifest['form']} without splits; its folds are used")
    for name in (f"{split}_images.npy", f"{split}_labels.npy"):
        if problem := file_problem(directory, name, manifest["files"][name], checksum):
            raise ValueError(f"{problem}; {remedy(directory)}")
    images, labels = open_split(directory, split)
    if problem := shape_problem(images, labels, manifest):
        raise ValueError(f"{directory}: {split} split {problem}; {remedy(directory)}")
    return images, np.array(labels)


def _check_arrays(arrays: Mapping[str, np.ndarray], classes: Sequence[str]) -> None:
    if set(arrays) != set(ARRAYS):
        raise ValueError(f"arrays must be {', '.join(ARRAYS)}, got {', '.join(sorted(arrays))}")
    if len(set(classes)) != len(classes):
        raise ValueError(f"classes must be distinct, got {list(classes)}")
    for split in SPLITS:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if images.dtype != np.uint8 or images.ndim != 4 or not images.size:
            raise ValueError(
                f"{split}_images must be a non-empty uint8 (N, C, H, W), "
                f"got {images.dtype} {images.shape}"
            )
        if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"{split}_labels must be int64 {images.shape[:1]}, "
                f"got {labels.dtype} {labels.shape}"
            )
        if labels.min() < 0 or labels.max() >= len(classes):
            raise ValueError(
                f"{split}_labels must lie in 0..{len(classes) - 1}, "
                f"got {labels.min()}..{labels.max()}"
            )
    train, test = arrays["train_images"].shape[1:], arrays["test_images"].shape[1:]
    if train != test:
        raise ValueError(f"train and test images differ in shape: {train} and {test}")


def _fill(
    building: Path,
    dataset: str,
    prepare: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    classes: Sequence[str],
    source: Mapping[str, Any],
    statistics: Mapping[str, Any] | None,
) -> dict[str, Any]:
    for name in ARRAYS:
        save_array(building / f"{name}.npy", arrays[name])
    counts = {split: count_classes(arrays[f"{split}_labels"], classes) for split in SPLITS}
    manifest = state(building, FILES, dataset, prepare, statistics)
    manifest["image_shape"] = list(arrays["train_images"].shape[1:])
    manifest |= {"classes": list(classes), "counts": counts, "source": dict(source)}
    write_json(building / MANIFEST, manifest)
    return manifest


def state(
    building: Path,
    names: Sequence[str],
    dataset: str,
    prepare: Mapping[str, Any],
    statistics: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the entries of a manifest that follow from the written files."""
    paths = [building / name for name in names]
    files = {
        path.name: {"sha256": sha256_file(path), "size": path.stat().st_size} for path in paths
    }
    manifest = {
        "dataset": dataset,
        "prepare": dict(prepare),
        "files": files,
        "versions": {"numpy": np.__version__, "python": platform.python_version()},
        "digest": content_digest(dataset, prepare, files, statistics),
    }
    return manifest if statistics is None else {**manifest, "statistics": dict(statistics)}


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array file whole or not at all; an error names it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    except OSError as error:
        # numpy reports a full disk without the name of the file.
        raise OSError(f"could not write {path}: {error}") from error
