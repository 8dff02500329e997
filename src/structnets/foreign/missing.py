"""Cells of tables that hold no value, as people, spreadsheets and programs write them."""

from __future__ import annotations

# Errors of formulas, as #REF!, are none of them: they are a fault of the table.
_MISSING = frozenset(
    ("", "n/a", "na", "nan", "-nan", "nat", "null", "<na>", "#n/a", "#na", "#n/a n/a")
)


def is_missing(cell: str) -> bool:
    """Say whether a cell is empty, or holds what is written in place of a value, in any case.

    ``None`` is such a word as programs write it alone: ``none`` may be a degree, as of pain.

    Examples
    --------
    >>> is_missing(""), is_missing("N/A"), is_missing("<NA>"), is_missing("nasal")
    (True, True, True, False)
    >>> is_missing("None"), is_missing("none")
    (True, False)
    """
    text = cell.strip()
    return text == "None" or text.casefold() in _MISSING
