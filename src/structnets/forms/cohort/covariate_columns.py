"""Columns of a table that are covariates: which are asked for, and whether they can be used."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from structnets.foreign.missing import is_missing

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan)", re.IGNORECASE)
# Names of columns whose numbers are most likely codes of places or devices.
_CODED = re.compile(
    r"(.*[ _-])?(site|scanner|cent(er|re)|machine|device|vendor|manufacturer|protocol|batch"
    r"|hospital|cohort|coil|sequence)s?([ _-]?(id|code|no|nr|num|number))?",
    re.IGNORECASE,
)
_MOST_CODES = 50


def named_columns(prepare: Mapping[str, Any], key: str = "regress_out") -> tuple[str, ...]:
    """Return the columns that a preparation asks to regress out, or names under another key."""
    return tuple(filter(None, (part.strip() for part in prepare.get(key, "").split(","))))


def numbers_of(values: Sequence[str]) -> list[float] | None:
    """Return the values of a column as numbers; None if they are names.

    Raises
    ------
    ValueError
        If one is infinite.
    """
    if not all(map(_is_number, values)):
        return None
    found = [float(value) for value in values]
    for value, number in zip(values, found, strict=True):
        if not math.isfinite(number):
            raise ValueError(f"{value!r} is no finite number")
    return found


def _is_number(value: str) -> bool:
    """Say whether it is one; of what Python reads so besides, only those that are not finite."""
    value = value.strip()
    return bool(NUMBER.fullmatch(value) or _NOT_FINITE.fullmatch(value))


def _is_numbered(column: str, values: Sequence[str]) -> bool:
    """Say whether the numbers of a column are codes of more than two places or devices."""
    if not _CODED.fullmatch(column.strip()) or numbers_of(values) is None:
        return False
    distinct = {float(value) for value in values}
    return 2 < len(distinct) <= _MOST_CODES and all(value.is_integer() for value in distinct)


def refuse_unusable(columns: Sequence[str], people: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse covariates that cannot be regressed out of everybody.

    Parameters
    ----------
    columns : sequence of str
        The covariates.
    people : mapping
        What the table says of each person, by column.

    Raises
    ------
    ValueError
        If somebody lacks one, all have the same, a name in it is of one person alone, some of its
        values are numbers and some are not, or they are numbered sites.
    """
    for column in columns:
        values = [traits[column] for traits in people.values()]
        lacking = [name for name, traits in people.items() if is_missing(traits[column])]
        if lacking:
            raise ValueError(
                f"regress_out: {len(lacking)} of {len(people)} people have no {column!r} "
                f"({', '.join(lacking[:5])}): fill it in, or exclude them (a "
                "value that is called as what tables write where they have none, as none, needs "
                "another name)"
            )
        if len(set(values)) < 2:
            raise ValueError(f"regress_out: everybody has the {column} {values[0]!r}: leave it out")
        if _is_numbered(column, values):
            raise ValueError(
                f"regress_out: {column} has the numbers {', '.join(sorted(set(values))[:5])}; as "
                "numbers a line through them would be taken out, which leaves most of what differs "
                f"between them: write names such as s{values[0]} in the table, or give the "
                "column another name if a line is meant"
            )
        if numbers_of(values) is None:
            if 2 * len(odd := [value for value in values if not _is_number(value)]) < len(values):
                raise ValueError(
                    f"regress_out: {column} holds numbers, and {odd[0]!r}, which is none: write "
                    "numbers with a point before decimals, or leave the column out"
                )
            if any(_DECIMAL_COMMA.fullmatch(value) for value in values):
                raise ValueError(
                    f"regress_out: {column} has decimal commas, such as {odd[0]!r}: write points"
                )
            alone = sorted({value for value in values if values.count(value) == 1})
            if alone:
                raise ValueError(
                    f"regress_out: {column} {alone[0]!r} is of one person alone, of whom nothing "
                    "can be learned while they are held out: exclude them, or join values"
                )
