"""CIFAR-10 and CIFAR-100 from their original pickles (Krizhevsky 2009); thesis section 3.4.2.

The original archive, or the folder it extracts to, lies in ``<data_root>/<name>``.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.originals.pickles import read_plain_pickle
from structnets.data.originals.published import check_original, require_originals
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries import ENTRIES, published_files
from structnets.data.sets.entries.known_file import KnownFile
from structnets.data.sets.preparation import Content, Preparation

SHAPE = (3, 32, 32)
_LARGEST_MEMBER = 1 << 28
_PARTIAL_REMEDY = 'a copy that lacks training images needs the parameter {"partial": true}'


@dataclass(frozen=True)
class Release:
    """How one of the two data sets is published.

    Attributes
    ----------
    archive : KnownFile
        The archive that holds the pickles.
    folder : str
        The folder they lie in, in the archive and once extracted.
    train, test, meta : tuple of str, str, str
        File names; a part that a partial copy lacks is one of `train`.
    labels, names : str
        Keys of the labels in a batch and of the class names in `meta`.
    md5 : mapping
        Published checksum of every file.
    """

    archive: KnownFile
    folder: str
    train: tuple[str, ...]
    test: str
    meta: str
    labels: str
    names: str
    md5: Mapping[str, str]


RELEASES = {
    "cifar10": Release(
        published_files.CIFAR10,
        "cifar-10-batches-py",
        tuple(f"data_batch_{number}" for number in range(1, 6)),
        "test_batch",
        "batches.meta",
        "labels",
        "label_names",
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
            "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
        },
    ),
    "cifar100": Release(
        published_files.CIFAR100,
        "cifar-100-python",
        ("train",),
        "test",
        "meta",
        "fine_labels",
        "fine_label_names",
        {
            "train": "16019d7e3df5f24257cddd939b257f8d",
            "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
            "meta": "7973b15100ade9c7d40fb424638fde48",
        },
    ),
}


def read(asked: Preparation) -> Content:
    """Read CIFAR-10 or CIFAR-100 as `load_cifar` does; they are stored as splits."""
    arrays, source = load_cifar(
        asked.originals,
        asked.name,
        partial=asked.partial,
        verify_checksums=asked.verify_checksums,
    )
    counts = (len(arrays["train_labels"]), len(arrays["test_labels"]))
    check_whole(asked.name, counts, asked.prepare, asked.originals / asked.name)
    return Content(arrays, source)


def load_cifar(
    data_root: str | os.PathLike[str],
    name: str,
    *,
    partial: bool = False,
    verify_checksums: bool = True,
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read CIFAR-10 or CIFAR-100 from ``<data_root>/<name>``.

    Parameters
    ----------
    data_root : path
        Folder of all original data sets.
    name : {"cifar10", "cifar100"}
        Which one.
    partial : bool
        Read a copy that lacks training batches, or images in them. Its files are not the
        published ones, so that no checksums are compared.
    verify_checksums : bool
        Compare the files of a whole copy with the published checksums.

    Returns
    -------
    arrays : dict
        ``train_images`` and ``test_images``, (N, 3, 32, 32) uint8 RGB, in the files' order;
        ``train_labels`` and ``test_labels``, (N,) int64 (CIFAR-100: the fine labels).
    source : dict
        The files as found, for the manifest.

    Raises
    ------
    FileNotFoundError
        If files are missing; the message says where to get them and where to put them.
    ValueError
        If a file is not the published one, is not a plain pickle of images and labels, or
        names other classes.
    """
    release, directory = RELEASES[name], Path(data_root) / name
    read, names = _open(release, directory, partial)
    contents = {file: read(file) for file in names}
    if verify_checksums and not partial:
        _check_published(release, directory, contents)
    where = {file: str(directory / release.folder / file) for file in names}
    _check_classes(contents[release.meta], where[release.meta], release, ENTRIES[name].classes)
    arrays: dict[str, np.ndarray] = {}
    batches = [file for file in names if file in release.train]
    for split, files in (("train", batches), ("test", [release.test])):
        parts = [
            read_batch(contents[file], where[file], release.labels, len(ENTRIES[name].classes))
            for file in files
        ]
        arrays[f"{split}_images"] = np.concatenate([images for images, _ in parts])
        arrays[f"{split}_labels"] = np.concatenate([labels for _, labels in parts])
    files = {
        file: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for file, content in contents.items()
    }
    return arrays, {
        "files": files,
        "archive": release.archive.name,
        "mirrors": list(release.archive.mirrors),
    }


def read_batch(
    content: bytes, name: str, label_key: str, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Read one pickled batch.

    Parameters
    ----------
    content : bytes
        The file's content: a pickled dict with ``data``, (N, 3072) bytes, each row the red,
        green and blue plane of an image, and a list of N labels.
    name : str
        How errors call the file.
    label_key : str
        Key of the labels.
    classes : int
        Labels lie below it.

    Returns
    -------
    images, labels : numpy.ndarray
        (N, 3, 32, 32) uint8 and (N,) int64.

    Raises
    ------
    ValueError
        If the content is anything else.
    """
    batch = read_plain_pickle(content, name)
    if not isinstance(batch, dict) or not {"data", label_key} <= set(batch):
        raise ValueError(f"{name} is no CIFAR batch: it must be a dict with data and {label_key}")
    images, labels = batch["data"], batch[label_key]
    pixels = int(np.prod(SHAPE))
    if not isinstance(images, np.ndarray) or images.shape != (len(images), pixels):
        found = getattr(images, "shape", type(images).__name__)
        raise ValueError(f"{name} has data {found}, expected a byte array (N, {pixels})")
    if not isinstance(labels, list) or len(labels) != len(images):
        found = len(labels) if isinstance(labels, list) else type(labels).__name__
        raise ValueError(f"{name} has {len(images)} images, but {label_key} {found}")
    for index, label in enumerate(labels):
        if type(label) is not int or not 0 <= label < classes:
            raise ValueError(
                f"{name} has label {label!r} at index {index}; allowed: 0..{classes - 1}"
            )
    return images.reshape(-1, *SHAPE), np.array(labels, dtype=np.int64)


def _open(
    release: Release, directory: Path, partial: bool
) -> tuple[Callable[[str], bytes], list[str]]:
    """Return a reader of the original files and the names of those that are to be read."""
    wanted = [*release.train, release.test, release.meta]
    folder = directory / release.folder
    if not folder.is_dir():
        if not (directory / release.archive.name).is_file():
            require_originals([release.archive], directory)
        return _archive_reader(release, directory), wanted
    there = [file for file in wanted if (folder / file).is_file()]
    missing = [file for file in wanted if file not in there]
    optional = release.train if partial and any(file in release.train for file in there) else ()
    if any(file not in optional for file in missing):
        raise FileNotFoundError(
            f"{', '.join(missing)} missing in {folder}: {release.archive.how_to_get(directory)}, "
            f"in place of {folder}; {_PARTIAL_REMEDY}"
        )
    return (lambda file: (folder / file).read_bytes()), there


def _archive_reader(release: Release, directory: Path) -> Callable[[str], bytes]:
    """Return a reader of the archive's members, once the archive is the published one."""
    path = check_original(release.archive, directory)

    def read(file: str) -> bytes:
        with tarfile.open(path) as archive:
            member = archive.extractfile(f"{release.folder}/{file}")
            if member is None:
                raise ValueError(f"{path} holds {file} as something else than a file")
            return member.read(_LARGEST_MEMBER)

    return read


def _check_published(release: Release, directory: Path, contents: Mapping[str, bytes]) -> None:
    for file, content in contents.items():
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != release.md5[file]:
            raise ValueError(
                f"{directory / release.folder / file} is not the published file: {len(content)} "
                f"bytes with md5 {found}, expected md5 {release.md5[file]}; "
                f"{release.archive.how_to_get(directory)}, in place of the folder; "
                f"{_PARTIAL_REMEDY}"
            )


def _check_classes(content: bytes, name: str, release: Release, classes: tuple[str, ...]) -> None:
    meta = read_plain_pickle(content, name)
    found = meta.get(release.names) if isinstance(meta, dict) else None
    if found != list(classes):
        raise ValueError(f"{name} must name the classes {', '.join(classes[:3])}, …; got {found}")
