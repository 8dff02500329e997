"""MNIST from its four original idx files (LeCun, Cortes & Burges); thesis section 3.4.2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.originals.idx import read_idx
from structnets.data.originals.published import check_original, require_originals
from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.entries.published_files import MNIST
from structnets.data.sets.preparation import Content, Preparation
from structnets.files import file_facts

FILES = MNIST
CLASSES = ENTRIES["mnist"].classes


def read(asked: Preparation) -> Content:
    """Read MNIST as `load_mnist` does; it is stored as splits."""
    root = asked.originals
    arrays = load_mnist(root, verify_checksums=asked.verify_checksums)
    return Content(arrays, mnist_source(root))


def mnist_folder(data_root: str | os.PathLike[str]) -> Path:
    """Return the folder of `data_root` that holds the four files."""
    return Path(data_root) / "mnist"


def load_mnist(
    data_root: str | os.PathLike[str], *, verify_checksums: bool = True
) -> dict[str, np.ndarray]:
    """Read MNIST from ``<data_root>/mnist/*.gz``.

    Parameters
    ----------
    data_root : path
        Folder of all original data sets.
    verify_checksums : bool
        Compare each file with its published checksum first. Only for files that are not the
        published ones, such as a test's, is there a reason to switch it off.

    Returns
    -------
    dict
        ``train_images`` and ``test_images``, (N, 1, 28, 28) uint8, grey value 0..255;
        ``train_labels`` and ``test_labels``, (N,) int64 in 0..9.

    Raises
    ------
    FileNotFoundError
        If files are missing; the message says where to get them and where to put them.
    ValueError
        If a file is not the published one or is damaged, if images and labels of a split
        differ in number, or a label is not a digit.
    """
    folder = mnist_folder(data_root)
    require_originals(list(FILES.values()), folder)
    if verify_checksums:
        for file in FILES.values():
            check_original(file, folder)
    arrays: dict[str, np.ndarray] = {}
    for split in ("train", "test"):
        images, labels = _read_split(folder, split)
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = images, labels
    return arrays


def mnist_source(data_root: str | os.PathLike[str]) -> dict[str, Any]:
    """Describe the original files as found on disk, for the manifest of the prepared data."""
    paths = [mnist_folder(data_root) / file.name for file in FILES.values()]
    files = {path.name: file_facts(path) for path in paths}
    return {"files": files, "mirrors": list(FILES["train_images"].mirrors)}


def _read_split(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    image_file = folder / FILES[f"{split}_images"].name
    label_file = folder / FILES[f"{split}_labels"].name
    images = read_idx(image_file, dtype=np.uint8, ndim=3)
    labels = read_idx(label_file, dtype=np.uint8, ndim=1)
    if images.shape[1:] != (28, 28):
        raise ValueError(f"{image_file} holds images of {images.shape[1:]} pixels, not (28, 28)")
    if len(images) != len(labels):
        raise ValueError(
            f"{image_file} has {len(images)} images, {label_file} {len(labels)} labels"
        )
    wrong = np.flatnonzero(labels >= len(CLASSES))
    if wrong.size:
        raise ValueError(
            f"{label_file} has label {labels[wrong[0]]} at index {wrong[0]}; allowed: 0..9"
        )
    return images[:, np.newaxis], labels.astype(np.int64)
