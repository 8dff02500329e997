"""What a reader must know of the scores of a study before any number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from structnets.metrics.regression import far_values
from structnets.specs.cohort_study import CohortStudy

_FEW, _FEW_VALUES = 100, 10


def refuse_without_spread(study: CohortStudy, scans: Sequence[Mapping[str, Any]]) -> None:
    """Refuse scores of one value, or of two, which are classes.

    Raises
    ------
    ValueError
        Naming the values.
    """
    values = sorted({float(scan["label"]) for scan in scans})
    if len(values) < 3:
        shown = " and ".join(f"{value:g}" for value in values)
        raise ValueError(
            f"kind: regression: {study.label} is {shown} in everybody: two values or fewer are no "
            "score. Compare them as classes (kind: classes), or name another column"
        )


def score_warnings(study: CohortStudy, scans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a reader must know."""
    of = {scan["subject"]: float(scan["label"]) for scan in scans}
    scores, found = list(of.values()), []
    if len(of) < _FEW:
        by_chance = min(1.96 / np.sqrt(len(of)), 1)
        found.append(
            f"Only {len(of)} people. In so few, estimates that know nothing reach a correlation of "
            f"{by_chance:.2f} in one of twenty samples: read the interval, not the number."
        )
    if far := far_values(scores):
        counted = Counter(scores)
        shown = ", ".join(f"{value:g} ({counted[value]})" for value in far[:5])
        found.append(
            f"Scores of {study.label} that lie far from all others: {shown}. If one is a code for "
            "a missing value, write n/a in its place; errors and correlations follow such values."
        )
    if len(set(scores)) < _FEW_VALUES:
        found.append(
            f"{study.label} has {len(set(scores))} different values: if they are groups, compare "
            "them as classes."
        )
    if len(scans) > len(of):
        found.append(
            f"{len(scans)} scans are of {len(of)} people; those of one are held out together, and "
            "scores count scans."
        )
    return found
