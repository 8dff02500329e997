"""The folds inside a training part, in which the penalty of the row beside the nets is chosen."""

from __future__ import annotations

import math
from typing import Any

USUAL_INNER = 5
_PENALTIES = (0.001, 0.01, 0.1, 1.0, 10.0)
_UNLIKELY = 1e-3


def ridge_recipe(total: int) -> dict[str, Any] | None:
    """Return the recipe of a linear estimate from so many samples; None if they are too few.

    Examples
    --------
    >>> ridge_recipe(40)["folds"], ridge_recipe(4)["folds"], ridge_recipe(2)
    (5, 3, None)
    """
    inner = folds_of_scores(total)
    return {"kind": "ridge", "grid": list(_PENALTIES), "folds": inner} if inner else None


def folds_of_scores(total: int) -> int | None:
    """Return the inner folds for so many samples with a score, of which any may be in a fold."""
    return min(USUAL_INNER, total - 1) if total > 2 else None


def leave_every_class(total: int, least: int, inner: int) -> bool:
    """Say whether no inner fold can be expected to hold all of a class.

    A given fold of ``s = ceil(total / inner)`` people holds all `least` of a class with the
    probability ``C(total - least, s - least) / C(total, s)``, which is 0 where they are more than
    `s`. Where any fold does with more than one in a thousand, the answer is no.

    Parameters
    ----------
    total : int
        People of the training part.
    least : int
        Those of the smallest class.
    inner : int
        Folds they are dealt into.

    Examples
    --------
    >>> leave_every_class(4, 2, 2)  # two of each class: a fold may take both of one
    False
    >>> leave_every_class(4, 2, 4)
    True
    """
    if least < 2 or not 2 <= inner <= total:
        return False
    size = -(-total // inner)
    if size < least:
        return True
    return inner * math.comb(total - least, size - least) / math.comb(total, size) < _UNLIKELY
