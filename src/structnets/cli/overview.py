"""``structnets --help``: every command by its purpose, and what is said where none is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from structnets import __version__
from structnets.cli.commands import COMMANDS
from structnets.entries import did_you_mean

_HEAD = """\
usage: structnets COMMAND [ARGUMENTS]

Build, train and study structured convolutional networks.
"""
_EXAMPLES = """\
examples:
  structnets models 'rfnn*'          which nets there are
  structnets results table7          what was measured for one table
  structnets predict --help          everything that one command takes

Exit status: 0 all is well, 1 things that were compared do not agree, or a file could not be read
that was to be answered for, 2 an error in the call or in what it was given, 130 interrupted. With
--json a command prints one JSON document on standard output; messages go to standard error.
--debug shows the traceback of an error."""


def overview() -> str:
    """Return the text of ``structnets --help``."""
    width = max(map(len, COMMANDS)) + 2
    lines = [_HEAD]
    for part in dict.fromkeys(command.part for command in COMMANDS.values()):
        lines.append(f"{part}:")
        for name, command in COMMANDS.items():
            if command.part == part:
                where = " (in a checkout)" if command.checkout else ""
                lines.append(f"  {name:{width}}{command.summary}{where}")
        lines.append("")
    return "\n".join([*lines, _EXAMPLES])


def answered(words: Sequence[str]) -> int | None:
    """Answer a call that names no command.

    Parameters
    ----------
    words : sequence of str
        Words after the program's name.

    Returns
    -------
    int or None
        Exit status, or None where the first word is a command, which is then to be called.
    """
    first = words[0] if words else ""
    if first in COMMANDS:
        return None
    if first in ("-h", "--help", "help"):
        print(overview())
        return 0
    if first == "--version":
        print(__version__)
        return 0
    if not first:
        print(overview(), file=sys.stderr)
        print("\nstructnets: a command is required", file=sys.stderr)
        return 2
    what = "option" if first.startswith("-") else "command"
    near = did_you_mean(first, list(COMMANDS))
    print(
        f"structnets: there is no {what} {first!r}{near}; `structnets --help` lists the commands",
        file=sys.stderr,
    )
    return 2
