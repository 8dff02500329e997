"""Scores as the cells of a table hold them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from structnets.foreign.missing import is_missing
from structnets.foreign.shown import shortened
from structnets.forms.cohort.covariate_columns import NUMBER

MOST_CLASSES, _FEW_VALUES = 20, 5


def score_in(column: str) -> Callable[[Mapping[str, str]], str | None]:
    """Return a reader of a column of numbers: the number as text, the same for ``65`` and ``65.0``.

    It returns None where there is no value, and raises a ValueError for a text that is no number.
    """

    def read(row: Mapping[str, str]) -> str | None:
        value = row[column]
        return None if is_missing(value) else repr(number_in(value, column)).removesuffix(".0")

    return read


def is_number(text: str) -> bool:
    """Say whether a cell holds a finite number, with a point before decimals."""
    return bool(NUMBER.fullmatch(text)) and math.isfinite(float(text))


def too_many_for_classes(values: Mapping[str, int]) -> bool:
    """Say whether numbers, with how often each is there, are more than classes would be."""
    few = 2 * len(values) <= sum(values.values())
    return len(values) > MOST_CLASSES or (len(values) > _FEW_VALUES and not few)


def number_in(text: str, column: str) -> float:
    """Return the number that a cell holds.

    Raises
    ------
    ValueError
        If it holds none, or one that is not finite.
    """
    if is_number(text):
        return float(text) + 0.0  # no negative zero
    hint = ", with a point before decimals" if re.fullmatch(r"[+-]?\d+,\d+", text) else ""
    raise ValueError(
        f"{column} is {shortened(repr(text))}, which is no number: write one{hint}, or n/a where "
        "there is none"
    )
