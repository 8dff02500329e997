"""Which runs may be pooled, and the scores over the predictions of all folds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from structnets.cohorts.naming import shown
from structnets.cohorts.request import CohortRequest
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.identity import prepared_name
from structnets.metrics.binary import binary_scores


def pooled_score(repetitions: Mapping[int, np.ndarray], metric: str) -> float | None:
    """Score all held-out samples of a repetition at once; the mean over whole repetitions.

    Parameters
    ----------
    repetitions : mapping of int to numpy.ndarray
        From `whole_repetitions`.
    metric : str
        A key of `structnets.metrics.binary.binary_scores`.

    Returns
    -------
    float or None
        None if there is no repetition, or if the metric is none of two classes. The AUC compares
        log-odds across folds, each of another model.
    """
    scores = [binary_scores(pairs[:, 0].astype(int), pairs[:, 1]) for pairs in repetitions.values()]
    if not scores or metric not in scores[0]:
        return None
    return statistics.fmean(score[metric] for score in scores)


def whole_repetitions(lines: Sequence[Mapping[str, Any]]) -> dict[int, np.ndarray]:
    """Return the predictions of the repetitions of a cross-validation that have all their folds.

    Parameters
    ----------
    lines : sequence of mapping
        Ledger lines of one cell. Run s of a cohort holds out fold s mod k of repetition s // k.

    Returns
    -------
    dict of int to numpy.ndarray
        By repetition, (N, 2): label and log-odds, fold after fold, those of a fold in the order of
        the prepared cohort. None of data that are no cohort's, or if a line has no predictions.
    """
    if not lines or not all(line.get("predictions") for line in lines):
        return {}
    data = lines[0]["spec"]["data"]
    if find_dataset(data["name"]).form != "cohort":
        return {}
    by_seed = {line["spec"]["seed"]: line["predictions"] for line in lines}
    found = {}
    for repetition in sorted({seed // len(fold_seeds(data, 0)) for seed in by_seed}):
        seeds = fold_seeds(data, repetition)
        if all(seed in by_seed for seed in seeds):
            found[repetition] = np.array([pair for seed in seeds for pair in by_seed[seed]])
    return found


def fold_seeds(data: Mapping[str, Any], repetition: int) -> range:
    """Return the seeds of the runs that hold out the folds of a repetition of a cohort."""
    folds = CohortRequest(data["name"], data["prepare"]).folds
    return range(repetition * folds, (repetition + 1) * folds)


def data_of(line: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and digest of the prepared data of a run."""
    return prepared_name(line["spec"]["data"]), line["data_digest"]


def different_data(lines: Sequence[Mapping[str, Any]]) -> str | None:
    """Say why runs must not stand in one cell: their data digests differ; None if they may.

    Parameters
    ----------
    lines : sequence of mapping
        Ledger lines of one cell.
    """
    runs: dict[str, list[str]] = {}
    for line in lines:
        runs.setdefault(line["data_digest"], []).append(line["run_id"])
    if len(runs) < 2:
        return None
    of_each = "; ".join(
        f"data {found[:12]}: {shown(sorted(names))}" for found, names in sorted(runs.items())
    )
    return (
        f"runs of {len(runs)} versions of the data are not pooled ({of_each}); train all of them "
        "on one version, and remove the results or ledger lines of the others"
    )
