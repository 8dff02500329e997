"""Tables of pictures: CSV and parquet, line by line, before any picture is looked for."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets.data.sets.pictures import SEPARATOR
from structnets.foreign.apart import read_apart
from structnets.foreign.limits import TABLE
from structnets.foreign.missing import is_missing
from structnets.foreign.parquet import parse_rows
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shortened, shown

_AFTER_LABEL = b"\0"

NONE = "none"
"""What a table writes of a picture that has none of the labels."""

Reader = Callable[[str], Callable[[Mapping[str, str]], str | None]]
"""Of the name of a column: what reads its cell in a line; None where the picture is left out."""


def written_labels(labels: Iterable[str]) -> str:
    """Write the labels of a picture as a table has them.

    Examples
    --------
    >>> written_labels(["cat", "dog"]), written_labels([])
    ('cat;dog', 'none')
    """
    return SEPARATOR.join(labels) or NONE


def read_lines(table: Path, label: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield number and cells of every line of a table of pictures.

    Parameters
    ----------
    table : Path
        CSV (commas, semicolons or tabs) or parquet, with the columns ``path`` and `label`.

    Raises
    ------
    FileNotFoundError
        If it is not there.
    ValueError
        If a column lacks or is doubled, or a line has not as many cells as there are columns.
    """
    if not table.is_file():
        raise FileNotFoundError(f"{table} is not there; give a CSV or parquet file")
    read = _parquet_lines if table.suffix.lower() in (".parquet", ".pq") else _csv_lines
    yield from read(table, label)


def labels_in(table: Path, label: str) -> list[str]:
    """Return what a column of a table of pictures holds, as it is written, without what is empty.

    Raises
    ------
    OSError, ValueError
        As `read_lines`.
    """
    return [line[label] for _, line in read_lines(table, label) if not is_missing(line[label])]


def class_reader(label: str) -> Callable[[Mapping[str, str]], str]:
    """Return a reader of the class in a line, which has to be there."""

    def read(line: Mapping[str, str]) -> str:
        if not line[label]:
            raise ValueError(f"{label} is empty; fill it in, or remove the line")
        if is_missing(line[label]):
            raise ValueError(
                f"{label} is {line[label]!r}, which tables write where they have none; fill it "
                "in, or remove the line (a class of that name needs another)"
            )
        return line[label]

    return read


def _csv_lines(table: Path, label: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = read_whole(table, TABLE).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{table} is not in UTF-8 ({error}); save it as UTF-8") from error
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = _checked_columns(next(reader, []), table, label)
        for cells in reader:
            if any(cells):
                yield reader.line_num, _line(columns, cells, f"{table}, line {reader.line_num}")
    except csv.Error as error:
        raise ValueError(f"{table}, line {reader.line_num}: {error}") from error


def _line(columns: Sequence[str], cells: Sequence[str], place: str) -> dict[str, str]:
    if len(cells) != len(columns):
        raise ValueError(
            f"{place}: {len(cells)} cells for the {len(columns)} columns "
            f"{shortened(', '.join(columns))}; a cell that holds the separator stands in quotes"
        )
    return dict(zip(columns, (cell.strip() for cell in cells), strict=True))


def _parquet_lines(table: Path, label: str) -> Iterator[tuple[int, dict[str, str]]]:
    content = label.encode() + _AFTER_LABEL + read_whole(table, TABLE)
    names, rows = read_apart(f"{__name__}:parse", content, table, TABLE)
    _checked_columns(names, table, label)
    yield from enumerate(rows, 1)


def parse(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Parse a parquet file, in the process that `read_apart` reads in: its columns, and its rows.

    The name of the column of labels stands before the file, and a zero between them. Values become
    text, since dates, say, are nothing that comes back.
    """
    names: list[str] = []
    label, _, content = content.partition(_AFTER_LABEL)

    def wanted(schema: Any) -> list[str]:
        names.extend(schema.names)
        return [name for name in ("path", label.decode(), "group", "split") if name in names]

    rows = parse_rows(content, wanted)
    return names, [{name: _as_text(value) for name, value in row.items()} for row in rows]


def _as_text(value: Any) -> str:
    """Write a value of parquet as CSV would have it; a list is several labels."""
    if value is None:
        return ""
    if not isinstance(value, list):
        return str(value).strip()
    parts = [_as_text(part) for part in value]
    if wrong := [part for part in parts if SEPARATOR in part]:
        raise ValueError(f"holds a list with {shown(wrong[0])}: {SEPARATOR} separates labels")
    return SEPARATOR.join(parts) if parts else NONE


def _checked_columns(columns: Iterable[str], table: Path, label: str) -> list[str]:
    names = [name.strip() for name in columns]
    if doubled := [name for name, count in Counter(names).items() if count > 1]:
        raise ValueError(
            f"{table} has the column {shown(doubled[0])} more than once; remove or rename one"
        )
    if missing := [name for name in ("path", label) if name not in names]:
        remedy = "give one of them that name" + (
            ", or say which it is (label)" if missing[0] == label else ""
        )
        raise ValueError(
            f"{table} lacks the column {missing[0]!r}; it has "
            f"{shortened(', '.join(names)) or 'none'}: {remedy}"
        )
    return names
