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
_READABLE = 9  # letters of a cell beside each other, so that no number is folded


def print_json(content: Any) -> None:
    """Print one JSON document on standard output."""
    print(json_text(content), end="")


def print_table(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print the `columns` of `rows` as a table that fits the terminal, if there is one.

    Missing values are empty, lists are joined by commas, numbers have four digits. On a terminal
    that is too narrow for the columns, every row is a paragraph instead, with a line a value.
    """
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else _WIDE)
    cells = [[printable_lines(_cell(row.get(column))) for column in columns] for row in rows]
    of_columns = zip(columns, zip(*cells, strict=True), strict=True) if cells else ()
    if console.width <= sum(_least_width(title, texts) for title, texts in of_columns):
        for row in cells:
            for title, text in zip(columns, row, strict=True):
                if text:
                    console.print(Text.assemble((title, "bold"), f": {text}"))
            console.print()
        return
    table = Table(*(Column(title, overflow="fold") for title in columns))
    for row in cells:
        table.add_row(*map(Text, row))
    console.print(table)


def _least_width(title: str, texts: Iterable[str]) -> int:
    """Return the letters that a column needs, with its rim, to be read."""
    words = [word for text in (title, *texts) for word in text.split()]
    return 3 + min(_READABLE, max(map(len, words), default=0))


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
