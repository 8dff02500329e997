"""A prepared cohort: volumes, labels, subjects and folds in one folder, mapped by trainings.

``volumes.npy`` is uint8 (N, 1, X, Y, Z), ``labels.npy`` int64 (N,), ``subjects.json`` says whose
each volume is, and ``folds.csv`` holds the folds of every repetition: the file people publish.
A cohort has no test set; run s holds out fold s mod k of repetition s // k.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.manifest import (
    check_files,
    count_classes,
    file_problem,
    labelling_problem,
    load_manifest,
    open_arrays,
    remedy,
    shape_problem,
)
from structnets.data.prepared.statistics import channel_statistics
from structnets.data.prepared.whole_folder import write_whole
from structnets.data.sets.preparation import Content, Preparation
from structnets.files import write_atomic, write_json
from structnets.forms.entries import COHORT_FILES

_REPETITION = "repetition_"


@dataclass(frozen=True)
class HeldOut:
    """One step of a cross-validation.

    Attributes
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z) uint8, all volumes of the cohort, mapped copy-on-write.
    labels : numpy.ndarray
        (N,) int64.
    train, test : numpy.ndarray
        int64 rows, disjoint, together all; no subject is in both.
    """

    volumes: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    test: np.ndarray


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store what a data set's function read (`write_cohort`); return the manifest.

    The data of `content` are a mapping with ``volumes``, ``labels``, ``subjects`` and ``folds``.
    """
    classes = content.classes or asked.entry.classes
    return write_cohort(
        directory,
        asked.name,
        asked.prepare,
        **content.data,
        classes=classes,
        source=content.source,
    )


def write_cohort(
    directory: str | os.PathLike[str],
    dataset: str,
    prepare: Mapping[str, Any],
    volumes: np.ndarray,
    labels: np.ndarray,
    subjects: Sequence[Mapping[str, Any]],
    folds: np.ndarray,
    classes: Sequence[str],
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a prepared cohort; the folder is at any moment absent, the old or the new one.

    Parameters
    ----------
    directory, dataset, prepare, classes, source
        As for `structnets.forms.splits.stored.write_prepared`.
    volumes : numpy.ndarray
        (N, 1, X, Y, Z) uint8.
    labels : numpy.ndarray
        (N,) int64, indices into `classes`.
    subjects : sequence of mapping
        N plain JSON objects with at least ``subject`` and ``session``.
    folds : numpy.ndarray
        (repetitions, N) int64, the fold that holds out each volume.

    Returns
    -------
    dict
        The manifest. Its ``statistics`` are of all volumes, held out or not: one mean and one
        deviation of the whole cohort tell nothing of who is who.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or `directory` holds files of another kind.
    """
    check_parts("labels", len(labels), volumes, subjects, folds)
    if labels.dtype != np.int64 or labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(f"labels must be int64 in 0..{len(classes) - 1}, got {labels.dtype}")
    facts = {
        "form": "cohort",
        "dataset": dataset,
        "prepare": dict(prepare),
        "classes": list(classes),
        "counts": {"cohort": count_classes(labels, classes)},
        "source": dict(source),
    }
    words = [classes[int(label)] for label in labels]
    given = {"labels.npy": labels}
    return write_parts(directory, COHORT_FILES, facts, volumes, given, words, subjects, folds)


def write_parts(
    directory: str | os.PathLike[str],
    files: Sequence[str],
    facts: Mapping[str, Any],
    volumes: np.ndarray,
    answers: Mapping[str, np.ndarray],
    words: Sequence[str],
    subjects: Sequence[Mapping[str, Any]],
    folds: np.ndarray,
) -> dict[str, Any]:
    """Write what any prepared cohort has; return the manifest.

    Parameters
    ----------
    directory, volumes, subjects, folds
        As for `write_cohort`.
    files : sequence of str
        What the folder holds.
    facts : mapping
        Of the manifest, but for shape and statistics.
    answers : mapping
        Arrays (N,) by their file.
    words : sequence of str
        Label of each volume in the table of folds.
    """
    whole = {
        **facts,
        "image_shape": list(volumes.shape[1:]),
        # Channels come first whatever follows them.
        "statistics": channel_statistics(volumes.reshape(*volumes.shape[:2], -1, 1)),
    }

    def fill(building: Path) -> None:
        for name, array in {"volumes.npy": volumes, **answers}.items():
            save_array(building / name, array)
        write_json(building / "subjects.json", list(subjects))
        write_atomic(building / "folds.csv", folds_table(subjects, words, folds))

    return write_whole(directory, files, whole, fill)


def load_held_out(directory: str | os.PathLike[str], run: int, *, checksum: bool = True) -> HeldOut:
    """Open a cohort for run `run` of its cross-validation.

    Parameters
    ----------
    directory : path
        Folder of the prepared cohort.
    run : int
        Run s holds out fold s mod k of repetition s // k.
    checksum : bool
        Verify the SHA-256 of every file first.

    Raises
    ------
    FileNotFoundError
        If the manifest or a file is missing.
    ValueError
        If a file is not what the manifest says, or the cohort has fewer repetitions.
    """
    volumes, labels, folds = load_cohort(directory, checksum=checksum)
    count = int(folds.max()) + 1
    repetition, fold = divmod(run, count)
    if not 0 <= repetition < len(folds):
        raise ValueError(
            f"run {run} is not among the {count * len(folds)} of {directory}: "
            f"{len(folds)} repetitions of {count} folds"
        )
    held = folds[repetition] == fold
    return HeldOut(volumes, labels, np.flatnonzero(~held), np.flatnonzero(held))


def load_cohort(
    directory: str | os.PathLike[str], *, checksum: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Open a cohort: volumes (mapped), labels, and folds (repetitions, N).

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_held_out`.
    """
    manifest = load_manifest(directory)
    if manifest.get("form") != "cohort":
        raise ValueError(f"{directory} is no cohort: it has a training and a test set")
    check_files(directory, manifest, COHORT_FILES)
    for name in COHORT_FILES:
        if problem := file_problem(directory, name, manifest["files"][name], checksum):
            raise ValueError(f"{problem}; {remedy(directory)}")
    volumes, labels = open_arrays(directory, "volumes.npy", "labels.npy")
    if problem := shape_problem(volumes, labels, manifest):
        raise ValueError(f"{directory}: the cohort {problem}; {remedy(directory)}")
    folds = read_folds(Path(directory) / "folds.csv")
    if folds.shape[1:] != labels.shape:
        raise ValueError(f"{directory} has folds of {folds.shape[1]} of {len(labels)} volumes")
    return volumes, np.array(labels), folds


def content_problems(directory: str | os.PathLike[str], manifest: Mapping[str, Any]) -> list[str]:
    """Compare what a manifest states and its digest does not cover with the arrays."""
    volumes, labels = open_arrays(directory, "volumes.npy", "labels.npy")
    problem = labelling_problem("cohort", volumes, labels, manifest)
    return [problem] if problem else []


def check_parts(
    what: str,
    count: int,
    volumes: np.ndarray,
    subjects: Sequence[Mapping[str, Any]],
    folds: np.ndarray,
) -> None:
    """Check that there are as many volumes, subjects and folds as labels, or as scores.

    Raises
    ------
    ValueError
        If there are not, or the volumes are no bytes of five axes.
    """
    if volumes.dtype != np.uint8 or volumes.ndim != 5 or len(volumes) != count or not count:
        raise ValueError(
            f"volumes must be uint8 ({count}, 1, X, Y, Z), got {volumes.dtype} {volumes.shape}"
        )
    if len(subjects) != count or folds.shape[1:] != (count,):
        raise ValueError(f"{count} {what} need as many subjects and folds, got {len(subjects)}")


def folds_table(
    subjects: Sequence[Mapping[str, Any]], labels: Sequence[str], folds: np.ndarray
) -> str:
    """Return the table of folds that people publish: whose, label, and a column a repetition."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    repetitions = [f"{_REPETITION}{number}" for number in range(len(folds))]
    writer.writerow(["subject", "session", "label", *repetitions])
    for row, (entry, label) in enumerate(zip(subjects, labels, strict=True)):
        writer.writerow([entry["subject"], entry["session"], label, *folds[:, row]])
    return text.getvalue()


def read_folds(path: Path) -> np.ndarray:
    """Read the folds (repetitions, N) from their table."""
    rows = list(csv.DictReader(path.read_text().splitlines()))
    names = [name for name in rows[0] if name.startswith(_REPETITION)]
    return np.array([[int(row[name]) for row in rows] for name in names], dtype=np.int64)
