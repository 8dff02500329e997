"""What a reader must know of scores before any number that was made of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from structnets.metrics.regression import far_values

_FEW, _FEW_VALUES = 100, 10


def check_scores(labels: Sequence[str], column: str) -> None:
    """Refuse scores of one value, or of two, which are classes.

    Raises
    ------
    ValueError
        Naming the values.
    """
    # Each NaN would be a value of its own.
    values = sorted({value for value in map(float, labels) if value == value})
    if len(values) < 3:
        shown = " and ".join(f"{value:g}" for value in values) or "nowhere a number"
        raise ValueError(
            f"kind: regression: {column} is {shown} throughout: two values or fewer are no "
            "score. Compare them as classes (kind: classes), or name another column"
        )


def score_warnings(
    column: str, scores: Sequence[float], whose: str, count: int | None = None
) -> list[str]:
    """Say what a reader must know of scores.

    Parameters
    ----------
    column : str
        Name of the score.
    scores : sequence of float
        One of each.
    whose : str
        What they are of: people, pictures, groups.
    count : int, optional
        How many of these there are, if not one for each score.
    """
    found, count = [], count or len(scores)
    if count < _FEW:
        by_chance = min(1.96 / np.sqrt(count), 1)
        found.append(
            f"Only {count} {whose}. In so few, estimates that know nothing reach a "
            f"correlation of {by_chance:.2f} in one of twenty samples: read the interval, not the "
            "number."
        )
    if far := far_values(scores):
        counted = Counter(scores)
        shown = ", ".join(f"{value:g} ({counted[value]})" for value in far[:5])
        found.append(
            f"Scores of {column} that lie far from all others: {shown}. If one is a code for "
            "a missing value, write n/a in its place; errors and correlations follow such values."
        )
    if len(set(scores)) < _FEW_VALUES:
        found.append(
            f"{column} has {len(set(scores))} different values: if they are groups, compare "
            "them as classes."
        )
    return found
