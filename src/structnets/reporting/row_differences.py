"""How the rows of a cross-validated table differ, with intervals over the people held out."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np

from structnets.metrics.held_out import auc, balanced_accuracy
from structnets.metrics.resampling import bootstrap_interval
from structnets.reporting.cells import Cell
from structnets.reporting.numbers import gap
from structnets.reporting.rendering import Rendering

# What is compared of two classes, by the key of its column's metric; accuracy would hide that one
# of them is never found.
_NAMES = {"balanced_accuracy": "balanced accuracy", "auc": "AUC"}


def row_differences(rendering: Rendering) -> list[str]:
    """Say how the pooled scores of each two rows differ, in each repetition that both have.

    People are drawn with replacement, each with what both rows say of them; the models stay.
    Repetitions are not pooled, as lines of the ledger do not name people, who are dealt anew.
    """
    table = rendering.table
    columns = [c.key for c in table.columns if table.metric_of(c.key) in _NAMES]
    said = []
    for column in columns:
        metric = table.metric_of(column)
        for one, other in _pairs(rendering, column):
            parts = []
            for number in sorted(set(one.repetitions) & set(other.repetitions)):
                found = difference(metric, one.repetitions[number], other.repetitions[number])
                if found is not None:
                    mean, low, high = (gap(value, 1) for value in found)
                    parts.append(f"{mean} points in repetition {number + 1} ({low} to {high})")
            if parts:
                said.append(
                    f"Pooled {_NAMES[metric]}, {table.row(one.row).label} less "
                    f"{table.row(other.row).label}: {'; '.join(parts)}; in parentheses the 95 % "
                    "interval over the people held out."
                )
    return said


def difference(
    metric: str, first: np.ndarray, second: np.ndarray
) -> tuple[float, float, float] | None:
    """Return how much a score of two classes is higher by the first predictions.

    Parameters
    ----------
    metric : {'balanced_accuracy', 'auc'}
        In percent.
    first, second : numpy.ndarray
        (N, 2) label and log-odds of the same people in the same order.

    Returns
    -------
    tuple of float, or None
        The difference, and the ends of its 95 % bootstrap interval; None if the labels differ, so
        that these are not the same people, or if there is but one class.
    """
    labels = first[:, 0].astype(int)
    if not np.array_equal(first[:, 0], second[:, 0]) or len(set(labels.tolist())) != 2:
        return None

    def score(drawn: np.ndarray, rows: np.ndarray) -> Any:
        return _score(metric, drawn, first[rows, 1]) - _score(metric, drawn, second[rows, 1])

    rows = np.arange(len(labels))
    low, high = bootstrap_interval(score, labels, rows, rows.tolist())
    return float(score(labels, rows)), low, high


def _score(metric: str, labels: np.ndarray, log_odds: np.ndarray) -> Any:
    if metric == "auc":
        return auc(labels, log_odds)
    return balanced_accuracy(labels, (log_odds > 0).astype(int))


def _pairs(rendering: Rendering, column: str) -> Iterable[tuple[Cell, Cell]]:
    """Go through each two cells of a column that were measured on one version of a cohort."""
    cells = [c for c in rendering.cells if c.column == column and c.repetitions]
    return ((a, b) for a, b in combinations(cells, 2) if a.version == b.version)
