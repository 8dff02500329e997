"""Prepared images with boundary labels: arrays of whole images that trainings crop from.

One folder holds, for each split, ``<split>_images.npy`` uint8 (N, C, H, W),
``<split>_labels.npy`` uint8 (N, H, W) of 0 and 1, and ``<split>_annotators.npy``, the annotators'
maps behind one another with eight pixels of a row in a byte, uint8 (M, H, ceil(W / 8)).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.manifest import (
    MANIFEST,
    check_files,
    file_problem,
    load_manifest,
    open_arrays,
    remedy,
)
from structnets.data.prepared.whole_folder import write_whole
from structnets.data.sets.boundary_split import BoundarySplit
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.entries import BOUNDARY_FILES, BOUNDARY_KINDS


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store what a data set's function read (`structnets.forms.writing.write`).

    The data of `content` are the splits ``train``, ``val`` and ``test``, each a `BoundarySplit`.
    """
    splits: Mapping[str, BoundarySplit] = content.data
    facts = {
        "form": "boundaries",
        "dataset": asked.name,
        "prepare": dict(asked.prepare),
        "image_shape": list(splits["train"].images.shape[1:]),
        "classes": list(asked.entry.classes),
        "splits": {name: list(map(dict, split.items)) for name, split in splits.items()},
        "counts": {
            name: {**count_boundaries(split), **content.counts.get(name, {})}
            for name, split in splits.items()
        },
        "source": dict(content.source),
    }

    def fill(building: Path) -> None:
        for name, split in splits.items():
            save_boundary_split(building, name, split)

    return write_whole(directory, BOUNDARY_FILES, facts, fill)


def positive_weight(labels: np.ndarray) -> float:
    """Return negatives per positive, the weight that balances both classes.

    Raises
    ------
    ValueError
        If there is no positive.
    """
    positives = int(np.count_nonzero(labels))
    if not positives:
        raise ValueError("labels have no boundary pixel, so that no weight balances the classes")
    return (labels.size - positives) / positives


def count_boundaries(split: BoundarySplit) -> dict[str, Any]:
    """Count what the manifest states of every split, the weight of its loss among them."""
    return {
        "images": len(split),
        "annotators": sum(item["annotators"] for item in split.items),
        "positive_fraction": float(split.labels.mean()),
        "positive_weight": positive_weight(split.labels),
    }


def save_boundary_split(folder: Path, name: str, split: BoundarySplit) -> None:
    """Write the three arrays of one split."""
    for kind in BOUNDARY_KINDS:
        save_array(folder / f"{name}_{kind}.npy", getattr(split, kind))


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
    manifest = load_manifest(directory)
    items = manifest.get("splits", {})
    if split not in items:
        path = Path(directory) / MANIFEST
        raise ValueError(f"unknown split {split!r}; {path} has: {', '.join(items) or 'none'}")
    names = [f"{split}_{kind}.npy" for kind in BOUNDARY_KINDS]
    check_files(directory, manifest, names)
    for name in names:
        if problem := file_problem(directory, name, manifest["files"][name], checksum):
            raise ValueError(f"{problem}; {remedy(directory)}")
    found = BoundarySplit(*open_arrays(directory, *names), items=items[split])
    height, width = found.images.shape[2:]
    drawn = sum(item["annotators"] for item in found.items)
    shapes = ((len(found), height, width), (drawn, height, -(-width // 8)))
    if (found.labels.shape, found.annotators.shape) != shapes or len(found.images) != len(found):
        raise ValueError(f"{directory}: arrays of {split} do not fit; {remedy(directory)}")
    return found
