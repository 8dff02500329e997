"""Names that match what was typed."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence

from structnets.entries import did_you_mean


def matching(names: Sequence[str], pattern: str, command: str) -> list[str]:
    """Keep the names that match a shell-style pattern.

    Parameters
    ----------
    names : sequence of str
        What there is.
    pattern : str
        What was typed.
    command : str
        What lists all of them: ``models``.

    Raises
    ------
    ValueError
        If none does; the message says which come near.
    """
    found = [name for name in names if fnmatch.fnmatchcase(name, pattern)]
    if not found:
        what, near = command.removesuffix("s"), did_you_mean(pattern, names)
        raise ValueError(f"no {what} matches {pattern!r}{near}; `structnets {command}` lists all")
    return found
