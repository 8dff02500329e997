"""Predicted boundary maps in files, and which ground truth each belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from structnets.data.originals.boundary_truth import truth_entries, truth_files
from structnets.data.originals.matlab import load_mat
from structnets.data.originals.png import read_grey
from structnets.foreign.arrays import map_array
from structnets.metrics.boundary.counting import check_probability

_SHOWN = 5  # names an error lists
_LOSSY = (".jpg", ".jpeg")


@dataclass(frozen=True)
class Pair:
    """One image to evaluate: its name, its prediction, the files of its ground truth."""

    name: str
    prediction: Path
    truths: tuple[Path, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All files read for it."""
        return (self.prediction, *self.truths)


def find_pairs(predictions: Path, ground_truth: Path, *, subset: bool = False) -> list[Pair]:
    """Pair predictions with ground truth by file name.

    Parameters
    ----------
    predictions : pathlib.Path
        A folder of ``<name>.png``, ``.npy`` or ``.mat``, or one such file.
    ground_truth : pathlib.Path
        A folder of ``<name>.mat``, ``<name>.png`` or ``<name>/*.png``, or one file.
    subset : bool
        Allow images of the ground truth to have no prediction; they are left out.

    Returns
    -------
    list of Pair
        Sorted by name.

    Raises
    ------
    FileNotFoundError
        If a folder, a prediction or a ground truth is missing; the names are listed.
    ValueError
        If an image has two predictions or two forms of ground truth.
    """
    for path in (predictions, ground_truth):
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist")
    if predictions.is_file() != ground_truth.is_file():
        raise ValueError(f"{predictions} and {ground_truth} must be two folders or two files")
    if predictions.is_file():
        _check_ending(predictions)
        return [Pair(predictions.stem, predictions, (ground_truth,))]
    predicted = _predictions(predictions)
    names = {path.name if path.is_dir() else path.stem for path in truth_entries(ground_truth)}
    if not names:
        raise FileNotFoundError(f"{ground_truth} holds no ground truth: no .mat, no .png")
    _refuse_missing(set(predicted) - names, "ground truth", ground_truth)
    if not subset:
        _refuse_missing(names - set(predicted), "prediction", predictions)
    if not predicted:
        raise FileNotFoundError(
            f"{predictions} holds no prediction: {', '.join(_READERS)}{_unread(predictions, names)}"
        )
    return [
        Pair(name, path, truth_files(ground_truth, name))
        for name, path in sorted(predicted.items())
    ]


def read_prediction(path: Path) -> np.ndarray:
    """Read a map of boundary strength.

    Grey images are divided by their largest possible value; so are arrays of uint8 and uint16.
    In a ``.mat`` file, ``ucm2`` is a contour map of double size, of which the pixels are taken as
    the original benchmark does; otherwise the file must hold one matrix.

    Returns
    -------
    numpy.ndarray
        (H, W) float in 0..1.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or of another form, type or range, or has NaN.
    """
    _check_ending(path)
    values = _READERS[path.suffix.lower()](path)
    if values.dtype == np.bool_:
        values = values.astype(np.float64)
    elif values.dtype in (np.uint8, np.uint16):
        values = values / np.iinfo(values.dtype).max
    check_probability(values, str(path))
    return np.ascontiguousarray(values)


def _read_npy(path: Path) -> np.ndarray:
    values = map_array(path, "r", bounded=True)
    return np.array(values.reshape([side for side in values.shape if side != 1]))


def _read_mat(path: Path) -> np.ndarray:
    variables = load_mat(path)
    matrices = {
        name: value
        for name, value in variables.items()
        if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "buif"
    }
    if "ucm2" in matrices:
        return matrices["ucm2"][2::2, 2::2]
    if len(matrices) != 1:
        found = ", ".join(sorted(variables)) or "none"
        raise ValueError(
            f"{path} must hold ucm2 or one matrix, it has {len(matrices)} (variables: {found})"
        )
    return next(iter(matrices.values()))


_READERS: Mapping[str, Callable[[Path], np.ndarray]] = {
    ".png": read_grey,
    ".npy": _read_npy,
    ".mat": _read_mat,
}


def _check_ending(path: Path) -> None:
    if path.suffix.lower() not in _READERS:
        raise ValueError(f"{path}: a prediction ends in {', '.join(_READERS)}{_lossy([path])}")


def _predictions(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _files(folder):
        if path.suffix.lower() not in _READERS:
            continue
        if path.stem in found:
            raise ValueError(f"{found[path.stem]} and {path} are predictions of one image")
        found[path.stem] = path
    return found


def _files(folder: Path) -> list[Path]:
    """List the files of a folder that are not hidden, such as macOS' ``._1.png``."""
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _unread(folder: Path, names: set[str]) -> str:
    """Say which files have the names of images and an ending that is not read."""
    others = [
        path
        for path in _files(folder)
        if path.stem in names and path.suffix.lower() not in _READERS
    ]
    if not others:
        return ""
    shown = ", ".join(path.name for path in others[:_SHOWN])
    return f"; there is {shown}, which is not read: {', '.join(_READERS)} are{_lossy(others)}"


def _lossy(paths: Sequence[Path]) -> str:
    if any(path.suffix.lower() in _LOSSY for path in paths):
        return " (JPEG changes the strengths: save them as .png)"
    return ""


def _refuse_missing(names: set[str], what: str, folder: Path) -> None:
    if not names:
        return
    shown: Sequence[str] = sorted(names)[:_SHOWN]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    remedy = ""
    if what == "prediction":
        remedy = f"{_unread(folder, names)} (or ask for the subset that has predictions)"
    raise FileNotFoundError(
        f"{folder} has no {what} for {', '.join(shown)}{more}: {len(names)} missing{remedy}"
    )
