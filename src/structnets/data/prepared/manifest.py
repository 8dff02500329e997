"""The manifest of prepared data: what it states, and whether the files beside it agree.

``manifest.json`` holds every file's SHA-256 and size, counts per class and split, source,
parameters, versions, and the digest that names this content. Data sets whose images are
standardised also state ``statistics``: mean and standard deviation of the training images.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.files import read_json, sha256_file, write_json
from structnets.foreign.arrays import map_array
from structnets.identity import digest

SPLITS = ("train", "test")
MANIFEST = "manifest.json"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# Snakemake marks folders it made or tracks.
OF_EVERY_FOLDER = (MANIFEST, ".snakemake_timestamp")
_OWN_NAME = re.compile(r"\.snakemake_timestamp|[A-Za-z0-9_.-]+\.(npy|json|csv|txt|bin)")
_KEYS = (
    *("dataset", "prepare", "image_shape", "classes", "counts"),
    *("files", "source", "versions", "digest"),
)


def content_digest(
    dataset: str,
    prepare: Mapping[str, Any],
    files: Mapping[str, Any],
    statistics: Mapping[str, Any] | None = None,
) -> str:
    """Digest what a training takes from prepared data.

    That is its name, parameters, every file's checksum and, where stated, the statistics.
    """
    content = {"dataset": dataset, "prepare": dict(prepare), "files": dict(files)}
    return digest(content if statistics is None else {**content, "statistics": dict(statistics)})


def write_manifest(
    folder: Path, facts: Mapping[str, Any], files: Mapping[str, Any], **versions: str
) -> dict[str, Any]:
    """Write the manifest of a folder whose files are written, and return it.

    Parameters
    ----------
    folder : Path
        Of the files.
    facts : mapping
        What does not follow from the files, plain JSON: ``dataset``, ``prepare``,
        ``image_shape``, ``classes``, ``counts``, ``source``, the ``statistics`` where they are
        stated, and what more the form states.
    files : mapping
        By name, as `structnets.files.file_facts` returns it.
    **versions
        Of what made the files, besides numpy and Python.
    """
    manifest = {
        **facts,
        "files": dict(files),
        "versions": {"numpy": np.__version__, "python": platform.python_version(), **versions},
        "digest": content_digest(
            facts["dataset"], facts["prepare"], files, facts.get("statistics")
        ),
    }
    write_json(folder / MANIFEST, manifest)
    return manifest


def count_classes(labels: np.ndarray, classes: Sequence[str]) -> dict[str, int]:
    """Count the images of each class; `labels` (N,) index into `classes`."""
    counts = np.bincount(labels, minlength=len(classes))
    return {name: int(count) for name, count in zip(classes, counts, strict=True)}


def load_manifest(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the manifest of prepared data and check that it is whole and agrees with itself.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is damaged, lacks an entry or does not have the digest it states.
    """
    path = Path(directory) / MANIFEST
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; {remedy(directory)}")
    try:
        manifest = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path} is damaged ({error}); {remedy(directory)}") from error
    if problem := _manifest_problem(manifest):
        raise ValueError(f"{path} {problem}; {remedy(directory)}")
    return manifest


def verify_files(directory: str | os.PathLike[str]) -> list[str]:
    """Compare the files of prepared data with their manifest, every byte.

    Returns
    -------
    list of str
        One line for each mismatch, naming the file; empty when all is as it was written.
    """
    try:
        manifest = load_manifest(directory)
    except (OSError, ValueError) as error:
        return [str(error)]
    entries = manifest["files"].items()
    found = [file_problem(directory, name, entry, checksum=True) for name, entry in entries]
    return [problem for problem in found if problem]


def remedy(directory: str | os.PathLike[str]) -> str:
    """Say what to do about prepared data that is not whole.

    To remove a folder is advised only if nothing but files of prepared data lies in it: a folder
    that was named by mistake may hold anything.
    """
    folder = Path(directory)
    if not folder.is_dir():
        return f"there is no folder {directory}: prepare the data set"
    entries = sorted(folder.iterdir())
    if whole := [entry.name for entry in entries if (entry / MANIFEST).is_file()]:
        return (
            f"{directory} is not itself prepared data, it holds {', '.join(whole[:5])}: give the "
            "folder of one of them"
        )
    if not any(entry.name == MANIFEST for entry in entries):
        return f"{directory} is no prepared data: prepare the data set, or give its own folder"
    if any(entry.is_dir() or not _OWN_NAME.fullmatch(entry.name) for entry in entries):
        return (
            f"{directory} is not whole prepared data, and holds other things too: prepare the data "
            "set again into a folder of its own"
        )
    return f"{directory} is not whole prepared data: remove it and prepare the data set again"


def _manifest_problem(manifest: Any) -> str | None:
    if not isinstance(manifest, dict):
        return "is not a JSON object"
    if missing := [key for key in _KEYS if key not in manifest]:
        return f"lacks {', '.join(missing)}"
    files = manifest["files"]
    if not isinstance(files, dict):
        return f"lists the files {files!r}, which is no mapping"
    if wrong := [name for name in files if not _PLAIN_NAME.fullmatch(name)]:
        return f"lists {wrong[0]!r}, which is no plain name of a file"
    if not isinstance(manifest["prepare"], dict):
        return "has prepare parameters that are not an object"
    statistics = manifest.get("statistics")
    if statistics is not None and not isinstance(statistics, dict):
        return "has statistics that are not an object"
    expected = content_digest(manifest["dataset"], manifest["prepare"], files, statistics)
    if manifest["digest"] != expected:
        return f"states digest {manifest['digest']}, its entries have {expected}"
    for name, entry in files.items():
        if not isinstance(entry, dict) or not {"sha256", "size"} <= set(entry):
            return f"lacks the size or sha256 of {name}"
    for key, kind in (("image_shape", list), ("classes", list), ("counts", dict)):
        if not isinstance(manifest[key], kind):
            return f"has {key} {manifest[key]!r}, expected a {kind.__name__}"
    return None


def check_files(
    directory: str | os.PathLike[str], manifest: Mapping[str, Any], names: Sequence[str]
) -> None:
    """Check that a manifest lists the files that are about to be read.

    Raises
    ------
    ValueError
        Naming the first that it does not list.
    """
    for name in names:
        if name not in manifest["files"]:
            raise ValueError(
                f"{Path(directory) / MANIFEST} does not list {name}; {remedy(directory)}"
            )


def file_problem(
    directory: str | os.PathLike[str], name: str, entry: Mapping[str, Any], checksum: bool
) -> str | None:
    """Say in what one file differs from its manifest entry, or return None."""
    path = Path(directory) / name
    if not path.is_file():
        return f"{path} is missing"
    if (size := path.stat().st_size) != entry["size"]:
        return f"{path} has {size} bytes, the manifest says {entry['size']}"
    if checksum and (found := sha256_file(path)) != entry["sha256"]:
        return f"{path} has sha256 {found}, the manifest says {entry['sha256']}"
    return None


def open_split(directory: str | os.PathLike[str], split: str) -> tuple[np.ndarray, np.ndarray]:
    """Map images and labels of a split, as `open_arrays`."""
    images, labels = open_arrays(directory, f"{split}_images.npy", f"{split}_labels.npy")
    return images, labels


def open_arrays(directory: str | os.PathLike[str], *names: str) -> list[np.ndarray]:
    """Map array files, copy-on-write: writing to the maps never reaches the files.

    Raises
    ------
    ValueError
        If a file is not an array file.
    """
    try:
        return [map_array(Path(directory) / name) for name in names]
    except (OSError, ValueError) as error:
        raise ValueError(f"{error}; {remedy(directory)}") from error


def shape_problem(
    images: np.ndarray, labels: np.ndarray, manifest: Mapping[str, Any]
) -> str | None:
    """Say in what a split's arrays are not of the form the manifest states, or return None."""
    shape = tuple(manifest["image_shape"])
    if images.dtype != np.uint8 or images.shape[1:] != shape:
        return f"has {images.dtype} images of shape {images.shape[1:]}, expected uint8 {shape}"
    if labels.dtype != np.int64 or labels.shape != images.shape[:1]:
        return f"has {labels.dtype} labels {labels.shape} for {len(images)} images, expected int64"
    return None


def labelling_problem(
    part: str, images: np.ndarray, labels: np.ndarray, manifest: Mapping[str, Any]
) -> str | None:
    """Say in what the labelled images of a part differ from what the manifest states of them.

    Its digest does not cover shape, classes and counts.
    """
    if problem := shape_problem(images, labels, manifest):
        return f"{MANIFEST}: {part} split {problem}"
    classes = manifest["classes"]
    if labels.min() < 0 or labels.max() >= len(classes):
        return f"{MANIFEST} has {len(classes)} classes, not the {part} labels'"
    if manifest["counts"].get(part) != count_classes(labels, classes):
        return f"{MANIFEST} states other {part} counts than its labels have"
    return None
