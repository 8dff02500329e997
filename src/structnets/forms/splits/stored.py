"""Images with labels as prepared data: four arrays and a manifest in one folder.

``train_images.npy`` and ``test_images.npy`` are uint8 (N, C, H, W), ``train_labels.npy`` and
``test_labels.npy`` int64 (N,). The folder is written whole or not at all, whatever kills the
writer, and every file is verified when it is opened. numpy and the standard library only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.manifest import (
    SPLITS,
    check_files,
    count_classes,
    file_problem,
    labelling_problem,
    load_manifest,
    open_split,
    remedy,
    shape_problem,
)
from structnets.data.prepared.statistics import channel_statistics
from structnets.data.prepared.whole_folder import write_whole
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.entries import ARRAYS, FORMS

FILES = FORMS["splits"].files


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store what a data set's function read (`write_prepared`); return the manifest.

    The data of `content` are the four arrays. The statistics of colour images are stated, since
    trainings standardise them.
    """
    arrays = content.data
    _check_arrays(arrays, classes := content.classes or asked.entry.classes)
    images = arrays["train_images"]
    statistics = channel_statistics(images) if images.shape[1] > 1 else None
    return write_prepared(
        directory,
        asked.name,
        asked.prepare,
        arrays,
        classes,
        content.source,
        statistics=statistics,
    )


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
    facts = {
        "dataset": dataset,
        "prepare": dict(prepare),
        "image_shape": list(arrays["train_images"].shape[1:]),
        "classes": list(classes),
        "counts": {split: count_classes(arrays[f"{split}_labels"], classes) for split in SPLITS},
        "source": dict(source),
    }
    if statistics is not None:
        facts["statistics"] = dict(statistics)

    def fill(building: Path) -> None:
        for name in ARRAYS:
            save_array(building / f"{name}.npy", arrays[name])

    return write_whole(directory, FILES, facts, fill)


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
    if manifest.get("form", "splits") != "splits":
        raise ValueError(f"{directory} has the form {manifest['form']!r}, not splits")
    check_files(directory, manifest, FILES)
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


def content_problems(directory: str | os.PathLike[str], manifest: Mapping[str, Any]) -> list[str]:
    """Compare what a manifest states and its digest does not cover with the arrays."""
    return [
        problem
        for split in SPLITS
        if (problem := labelling_problem(split, *open_split(directory, split), manifest))
    ]
