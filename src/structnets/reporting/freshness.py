"""Whether a run was computed by today's code."""

from __future__ import annotations

from structnets.reporting.ledger import Line
from structnets.training.code_digest import code_digest

STALE = "†"


def stale_note(what: str) -> str:
    """Say in a sentence why `what` is marked."""
    return (
        f"{STALE} The code of {what} has changed since it was measured, or its code digest is of "
        "an earlier edition and cannot be compared."
    )


def is_stale(line: Line) -> bool:
    """Say whether a line's run was computed by other code than today's, or may have been.

    A digest of an earlier edition equals none of today's, so that it is never taken for fresh.
    """
    return line["code_digest"] != todays_digest(line)


def todays_digest(line: Line) -> str:
    """Digest the code that a line's run would use today; empty where that is gone."""
    try:
        return code_digest(line["spec"])
    except (KeyError, ValueError, AttributeError, ModuleNotFoundError):
        return ""  # the run's model, data set or recipe is gone from the library
