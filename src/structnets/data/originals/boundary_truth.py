"""Ground truth of boundaries: BSDS ``.mat`` files, or PNGs of any data set."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.originals.matlab import load_mat
from structnets.data.originals.png import read_grey

_ENDINGS = (".mat", ".png")


def read_bsds_truth(path: str | os.PathLike[str]) -> list[np.ndarray]:
    """Read the boundaries that each annotator of a BSDS image drew.

    Parameters
    ----------
    path : path
        A file with the cell array ``groundTruth`` of structures with the field ``Boundaries``, or
        as one gets by saving dicts from Python: a structure or an array of them in place of the
        cells, or one matrix ``Boundaries``.

    Returns
    -------
    list of numpy.ndarray
        (H, W) bool, one per annotator, all of one size.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, of another form or without annotators.
    """
    variables = load_mat(path)
    if "groundTruth" not in variables and "Boundaries" in variables:
        variables = {"groundTruth": np.array([{"Boundaries": variables["Boundaries"]}])}
    if "groundTruth" not in variables:
        found = ", ".join(sorted(variables)) or "none"
        raise ValueError(f"{path} has no variable groundTruth; found: {found}")
    annotators = variables["groundTruth"].reshape(-1)
    if not annotators.size:
        raise ValueError(f"{path} has no annotators: its groundTruth is empty")
    truths = [_boundaries(path, number, item) for number, item in enumerate(annotators)]
    if len({truth.shape for truth in truths}) > 1:
        sizes = ", ".join(str(truth.shape) for truth in truths)
        raise ValueError(f"{path} has annotators of different sizes: {sizes}")
    return truths


def read_png_truth(path: str | os.PathLike[str], threshold: float | None = None) -> np.ndarray:
    """Read the boundaries of one annotator from a PNG.

    Parameters
    ----------
    path : path
        A grey image.
    threshold : float, optional
        Part of the largest grey value from which on a pixel is a boundary. Without it, the image
        must have two grey values at most, 0 and another.

    Returns
    -------
    numpy.ndarray
        (H, W) bool.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, not grey, or has more grey values and `threshold` is None.
    """
    values = read_grey(path)
    levels = np.unique(values)
    if threshold is not None:
        if len(levels) == 2 and levels[0] == 0 and levels[1] < threshold:
            raise ValueError(
                f"{path} has a single grey value besides 0, {levels[1]:.4f} of the largest "
                f"possible, and the threshold {threshold:g} leaves no boundary; leave the "
                "threshold out"
            )
        return values >= threshold
    if len(levels) > 2 or (len(levels) == 2 and levels[0] != 0):
        raise ValueError(
            f"{path} has {len(levels)} grey values; ground truth must be binary (0 and one other "
            "value), or a threshold in 0..1 be given for it"
        )
    return values > 0


def _boundaries(path: str | os.PathLike[str], number: int, item: Any) -> np.ndarray:
    where = f"{path}, annotator {number}"
    if isinstance(item, np.ndarray) and item.size == 1:
        item = item.reshape(-1)[0]
    # A structure is a record, unless a dict was made of it.
    fields = item.dtype.names if isinstance(item, np.void) else item
    if not isinstance(fields, tuple | dict) or "Boundaries" not in fields:
        raise ValueError(f"{where}: expected a structure with the field Boundaries")
    values = item["Boundaries"]
    if not isinstance(values, np.ndarray) or values.ndim != 2 or not values.size:
        raise ValueError(f"{where}: Boundaries is not a matrix")
    if values.dtype.kind not in "buif" or not np.isin(values, (0, 1)).all():
        raise ValueError(f"{where}: Boundaries has values other than 0 and 1")
    return np.ascontiguousarray(values, dtype=np.bool_)


def truth_files(folder: Path, name: str) -> tuple[Path, ...]:
    """List the files that hold the ground truth of image `name`: one ``.mat``, or PNGs.

    PNGs are ``<name>.png``, or all those in the folder ``<name>``, one per annotator.

    Raises
    ------
    ValueError
        If there are both, or the folder holds no PNG.
    """
    several = folder / name
    found = _spellings(folder / name)
    if several.is_dir():
        inside = sorted(path for path in truth_entries(several) if _is_png(path))
        if not inside:
            raise ValueError(f"{several} holds no PNG; one per annotator is expected")
        if found:
            raise ValueError(f"{found[0]} and {several} both hold ground truth; remove one")
        return tuple(inside)
    if len(found) > 1:
        raise ValueError(f"{found[0]} and {found[1]} both hold ground truth; remove one")
    return tuple(found)


def truth_entries(folder: Path) -> list[Path]:
    """List what a folder of ground truth holds: ``.mat`` files, PNGs and folders, none hidden."""
    entries = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return [path for path in entries if path.is_dir() or path.suffix.lower() in _ENDINGS]


def _spellings(stem: Path) -> list[Path]:
    """List the files of a name with a known ending, in capitals or not."""
    spelt = {
        "".join(letters)
        for ending in _ENDINGS
        for letters in product(*zip(ending.lower(), ending.upper(), strict=True))
    }
    paths = (stem.with_name(stem.name + ending) for ending in sorted(spelt))
    return [path for path in paths if path.is_file()]


def _is_png(path: Path) -> bool:
    return path.suffix.lower() == ".png"


def read_truth(files: tuple[Path, ...], threshold: float | None = None) -> list[np.ndarray]:
    """Read what `truth_files` lists: one (H, W) bool per annotator, all of one size.

    Raises
    ------
    OSError, ValueError
        As `read_bsds_truth` and `read_png_truth`; also if the sizes differ.
    """
    if files[0].suffix.lower() == ".mat":
        return read_bsds_truth(files[0])
    truths = [read_png_truth(path, threshold) for path in files]
    for path, truth in zip(files, truths, strict=True):
        if truth.shape != truths[0].shape:
            raise ValueError(
                f"{path} has {truth.shape} pixels, {files[0]} has {truths[0].shape}; "
                "annotators of one image must have one size"
            )
    return truths
