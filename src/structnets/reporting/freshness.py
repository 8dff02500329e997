"""Whether a run was computed by today's code."""

from __future__ import annotations

from collections.abc import Iterable

from structnets.reporting.ledger import Line
from structnets.training.code_digest import code_digest

STALE = "†"


def stale_note(what: str) -> str:
    """Say in a sentence why `what` is marked."""
    return (
        f"{STALE} The code of {what} has changed since it was measured, or its code digest is of "
        "an earlier edition and cannot be compared."
    )


def code_digests(lines: Iterable[Line]) -> dict[str, str]:
    """Digest the code each run would use today, by run id; empty where that is gone."""
    return {line["run_id"]: _today(line) for line in lines}


def is_stale(line: Line) -> bool:
    """Say whether a line's run was computed by other code than today's, or may have been.

    A digest of an earlier edition equals none of today's, so that it is never taken for fresh.
    """
    return line["code_digest"] != _today(line)


def _today(line: Line) -> str:
    try:
        return code_digest(line["spec"])
    except (KeyError, ValueError, AttributeError, ModuleNotFoundError):
        return ""  # the run's model, data set or recipe is gone from the library
