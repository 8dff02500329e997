"""A prepared cohort with scores: as `structnets.forms.cohort.stored`, with numbers for labels.

``scores.npy`` is float64 (N,). The manifest's ``units`` say of each run which mean and deviation
the scores of its training part have, and their least and most: a training learns them standardised,
and its answers become scores again by the same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.manifest import (
    check_files,
    file_problem,
    load_manifest,
    open_arrays,
    remedy,
)
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.cohort.stored import check_parts, read_folds, write_parts
from structnets.forms.entries import SCORED_FILES


@dataclass(frozen=True)
class ScoresHeldOut:
    """One step of a cross-validation.

    Attributes
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z) uint8, mapped copy-on-write.
    targets : numpy.ndarray
        (N,) float32: all scores, standardised by those of the training part.
    train, test : numpy.ndarray
        int64 rows, disjoint, together all; no subject is in both.
    """

    volumes: np.ndarray
    targets: np.ndarray
    train: np.ndarray
    test: np.ndarray


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Store what a data set's function read (`write_scores`); return the manifest.

    The data of `content` are a mapping with ``volumes``, ``scores``, ``subjects`` and ``folds``.
    """
    return write_scores(directory, asked.name, asked.prepare, **content.data, source=content.source)


def write_scores(
    directory: str | os.PathLike[str],
    dataset: str,
    prepare: Mapping[str, Any],
    volumes: np.ndarray,
    scores: np.ndarray,
    subjects: Sequence[Mapping[str, Any]],
    folds: np.ndarray,
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Write a prepared cohort with scores; parameters as `structnets.forms.cohort.stored` has them.

    Parameters
    ----------
    scores : numpy.ndarray
        (N,) float64, finite.
    folds : numpy.ndarray
        (repetitions, N) int64.

    Raises
    ------
    ValueError
        If the arrays do not fit each other, or a training part has the same score throughout.
    """
    if scores.dtype != np.float64 or scores.ndim != 1 or not np.isfinite(scores).all():
        raise ValueError(f"scores must be finite float64 (N,), got {scores.dtype} {scores.shape}")
    check_parts("scores", len(scores), volumes, subjects, folds)
    facts = {
        "form": "scores",
        "dataset": dataset,
        "prepare": dict(prepare),
        "classes": ["score"],
        "counts": {"cohort": {"score": len(scores)}},
        "source": dict(source),
        "units": units_of(scores, folds),
    }
    words = [repr(float(score)) for score in scores]
    given = {"scores.npy": scores}
    return write_parts(directory, SCORED_FILES, facts, volumes, given, words, subjects, folds)


def units_of(scores: np.ndarray, folds: np.ndarray) -> list[list[float]]:
    """Return mean, deviation, least and most of the training part of each run.

    Raises
    ------
    ValueError
        If all scores of one are the same: there is nothing to learn.
    """
    found = []
    for dealt in folds:
        for fold in range(int(folds.max()) + 1):
            of = scores[dealt != fold]
            if not len(of) or not of.std() > 0:
                raise ValueError(
                    f"fold {fold + 1}: everybody who is trained on has the score "
                    f"{of[0] if len(of) else 'of nobody'}, from which nothing can be learned: ask "
                    "for other folds, or add people"
                )
            found.append([float(value) for value in (of.mean(), of.std(), of.min(), of.max())])
    return found


def load_scores(
    directory: str | os.PathLike[str], *, checksum: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Open a cohort: volumes (mapped), scores (N,), and folds (repetitions, N).

    Raises
    ------
    FileNotFoundError
        If the manifest or a file is missing.
    ValueError
        If a file is not what the manifest says.
    """
    manifest = load_manifest(directory)
    if manifest.get("form") != "scores":
        raise ValueError(f"{directory} is no cohort with scores: it has {manifest.get('form')!r}")
    check_files(directory, manifest, SCORED_FILES)
    for name in SCORED_FILES:
        if problem := file_problem(directory, name, manifest["files"][name], checksum):
            raise ValueError(f"{problem}; {remedy(directory)}")
    volumes, scores = open_arrays(directory, "volumes.npy", "scores.npy")
    folds = read_folds(Path(directory) / "folds.csv")
    if problem := _problem(volumes, scores, folds, manifest):
        raise ValueError(f"{directory}: the cohort {problem}; {remedy(directory)}")
    return volumes, np.array(scores), folds


def load_scores_held_out(
    directory: str | os.PathLike[str], run: int, *, checksum: bool = True
) -> ScoresHeldOut:
    """Open a cohort for run `run` of its cross-validation, as `load_held_out` of classes does.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_scores`, or if the cohort has fewer repetitions.
    """
    volumes, scores, folds = load_scores(directory, checksum=checksum)
    count = int(folds.max()) + 1
    repetition, fold = divmod(run, count)
    if not 0 <= repetition < len(folds):
        raise ValueError(
            f"run {run} is not among the {count * len(folds)} of {directory}: "
            f"{len(folds)} repetitions of {count} folds"
        )
    held = folds[repetition] == fold
    of = scores[~held]
    targets = ((scores - of.mean()) / of.std()).astype(np.float32)
    return ScoresHeldOut(volumes, targets, np.flatnonzero(~held), np.flatnonzero(held))


def content_problems(directory: str | os.PathLike[str], manifest: Mapping[str, Any]) -> list[str]:
    """Compare what a manifest states and its digest does not cover with the arrays."""
    volumes, scores = open_arrays(directory, "volumes.npy", "scores.npy")
    problem = _problem(volumes, scores, read_folds(Path(directory) / "folds.csv"), manifest)
    return [problem] if problem else []


def _problem(
    volumes: np.ndarray, scores: np.ndarray, folds: np.ndarray, manifest: Mapping[str, Any]
) -> str | None:
    shape = tuple(manifest["image_shape"])
    if volumes.dtype != np.uint8 or volumes.shape != (len(scores), *shape):
        return f"has {volumes.dtype} volumes {volumes.shape}, expected uint8 (N, {shape})"
    if scores.dtype != np.float64 or folds.shape[1:] != scores.shape:
        return f"has {scores.dtype} scores {scores.shape} and folds {folds.shape}"
    stated, found = np.array(manifest.get("units", [])), np.array(units_of(scores, folds))
    if stated.shape != found.shape or not np.allclose(stated, found, rtol=1e-9, atol=0):
        return "states other units than its scores have"
    return None
