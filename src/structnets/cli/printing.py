"""What commands print: JSON documents, tables that a pipe does not cut, and signs of life."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from structnets.files import json_text
from structnets.foreign.shown import printable_lines

_PATIENCE_S = 3.0
_WIDE = 10_000  # columns of a table that goes into a pipe


def print_json(content: Any) -> None:
    """Print one JSON document on standard output."""
    print(json_text(content), end="")


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the `columns` of `rows` as a table, cut to the width of a terminal and of nothing else.

    Missing values are empty, lists are joined by commas, numbers have four digits.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns)
    for row in rows:
        table.add_row(*(Text(printable_lines(_cell(row.get(column)))) for column in columns))
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


@contextlib.contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show on standard error that something is being done, once it has taken three seconds.

    Parameters
    ----------
    what : str
        What is being done: ``reading the ledger``.
    """
    line = threading.Timer(_PATIENCE_S, lambda: print(f"{what} …", file=sys.stderr, flush=True))
    line.daemon = True
    line.start()
    try:
        yield
    finally:
        line.cancel()
