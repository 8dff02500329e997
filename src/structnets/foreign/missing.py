"""Cells of tables that hold no value, as people, spreadsheets and programs write them."""

from __future__ import annotations

# Errors of formulas, as #REF!, are none of them: they are a fault of the table.
_MISSING = frozenset(
    ("", "n/a", "na", "nan", "-nan", "nat", "none", "null", "<na>", "#n/a", "#na", "#n/a n/a")
)


def is_missing(cell: str) -> bool:
    """Say whether a cell is empty, or holds what is written in place of a value, in any case.

    Examples
    --------
    >>> is_missing(""), is_missing("N/A"), is_missing("<NA>"), is_missing("nasal")
    (True, True, True, False)
    """
    return cell.strip().casefold() in _MISSING
