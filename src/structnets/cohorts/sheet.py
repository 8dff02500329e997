"""Tables of labels: comma- or tab-separated files with a header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structnets.foreign.near_names import plain_name, unpadded
from structnets.foreign.shown import shortened
from structnets.imaging.scan_files import absence, read_whole

Row = Mapping[str, str]
# Spreadsheets write the class 1 so, as soon as one cell of its column is empty.
_WHOLE = re.compile(r"([+-]?\d+)\.0+")


@dataclass(frozen=True)
class Labels:
    """Labels of a table.

    Attributes
    ----------
    of : mapping
        Class name by key.
    refused : mapping
        Why a key that the table has got no class, by key.
    source : str
        The table, for messages.
    without : str
        What is said of all of `refused`.
    """

    of: Mapping[str, str]
    refused: Mapping[str, str]
    source: str
    without: str = "is of no class"


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a table as dicts of stripped text, each with the line it begins in.

    Raises
    ------
    FileNotFoundError
        If there is no such table, or it was not fetched.
    ValueError
        Naming the file and the line: it is not text, lacks one of `columns` or has a column
        twice, has a stray quote, or a row has another number of fields.
    """
    if reason := absence(path):
        raise FileNotFoundError(f"{path} {reason}: it is a table that the cohort needs")
    try:
        text = read_whole(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text in UTF-8: {error}; save it so") from error
    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = _records(path, reader)
    names = [name.strip() for name in next(rows, (1, []))[1]]
    _check_header(path, names, columns)
    for line, fields in rows:
        if len(fields) != len(names):
            raise ValueError(
                f"{path}, line {line}: expected {len(names)} fields, as in its header, found "
                f"{len(fields)}"
            )
        yield line, {name: value.strip() for name, value in zip(names, fields, strict=True)}


def index_rows(path: Path, key: str, columns: Sequence[str]) -> dict[str, Row]:
    """Return the rows of a table by a column.

    Raises
    ------
    FileNotFoundError, ValueError
        As `read_rows`; also if two rows of one key differ.
    """
    found: dict[str, tuple[int, Row]] = {}
    for line, row in read_rows(path, [key, *columns]):
        first, before = found.setdefault(row[key], (line, row))
        for column, value in row.items():
            if before[column] != value:
                raise ValueError(
                    f"{path}, lines {first} and {line}: {row[key]} has two values of {column}: "
                    f"{before[column]!r} and {value!r}; keep one"
                )
    return {name: row for name, (_, row) in found.items()}


def read_labels(
    path: Path,
    key: str,
    classify: Callable[[Row], str | None],
    columns: Sequence[str],
    without: str = "is of no class",
) -> Labels:
    """Read the class of every row of a table.

    Parameters
    ----------
    path : Path
        The table.
    key : str
        Column that names the subject or scan.
    classify : callable
        Returns a row's class name; None for a row that has none. Its ValueError gets the line.
    columns : sequence of str
        Columns `classify` looks at; they also say why a row has no class.
    without : str
        What is said of a row that has none.

    Raises
    ------
    ValueError
        If two rows of the same key differ in class, a value is nearly a class, or as `read_rows`
        says.
    """
    of: dict[str, str] = {}
    refused: dict[str, str] = {}
    seen: dict[str, tuple[int, str | None]] = {}
    for line, row in read_rows(path, [key, *columns]):
        name = row[key]
        try:
            label = classify(row)
        except ValueError as error:
            raise ValueError(f"{path}, line {line}: {name}: {error}") from error
        first, before = seen.setdefault(name, (line, label))
        if before != label:
            raise ValueError(
                f"{path} has two labels for {name}: {before!r} and {label!r} (lines {first} and "
                f"{line}); keep one"
            )
        if label is None:
            shown = ", ".join(f"{column} {row[column] or 'empty'!r}" for column in columns)
            refused[name] = f"{without}: {shown} in {path.name}"
        else:
            of[name] = label
    return Labels(of, refused, str(path), without)


def one_of(column: str, classes: Sequence[str]) -> Callable[[Row], str | None]:
    """Return a classifier by a column's text; ``1.0`` is the class ``1``.

    It raises a ValueError for a text that differs from a class in capitals, blanks or zeros before
    a number only.
    """

    def classify(row: Row) -> str | None:
        value = row[column]
        for name in classes:
            if without_zeros(value) == without_zeros(name):
                return name
        for name in classes:
            if unpadded(plain_name(value)) == unpadded(plain_name(name)):
                raise ValueError(
                    f"{column} is {value!r}, which is nearly the class {name!r}; write one of them "
                    "in both places"
                )
        return None

    return classify


def without_zeros(text: str) -> str:
    """Return ``1`` for ``1.0``, any other text as it is."""
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def _records(path: Path, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield records that are not empty, with the line each begins in."""
    begin = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise ValueError(
                f'{path}, line {begin}: {error}; a stray quote (")? Remove it, or write it twice '
                "inside a quoted field"
            ) from error
        if record is None:
            return
        if any("\n" in field or "\r" in field for field in record):
            raise ValueError(
                f'{path}, line {begin}: a field goes on into the next line; a stray quote (")? '
                "Remove it, or the line break"
            )
        if any(field.strip() for field in record):
            yield begin, record
        begin = reader.line_num + 1  # type: ignore[attr-defined]


def _check_header(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    for name, count in Counter(names).items():
        if name and count > 1:
            places = [str(place) for place, other in enumerate(names, 1) if other == name]
            raise ValueError(
                f"{path} has the column {shortened(repr(name))} {count} times (columns "
                f"{shortened(', '.join(places))}); remove or rename all but one"
            )
    if missing := [name for name in columns if name not in names]:
        hint = ""
        if len(names) == 1 and (other := re.search(r"[;\t,|]", names[0])):
            wanted = "tabs" if path.suffix == ".tsv" else "commas"
            hint = f"; its fields seem to be separated by {other[0]!r}, expected are {wanted}"
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))}; it has "
            f"{shortened(', '.join(names)) or 'none'}: give the right one that name{hint}"
        )
