"""Tables of labels: comma- or tab-separated files with a header."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Row = Mapping[str, str]


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
    """

    of: Mapping[str, str]
    refused: Mapping[str, str]
    source: str


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[dict[str, str]]:
    """Yield the rows of a table as dicts of stripped text.

    Raises
    ------
    FileNotFoundError
        If there is no such table.
    ValueError
        If it is not text, lacks one of `columns`, or a row has another number of fields.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: it holds the labels of the cohort")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not text: {error}") from error
    delimiter = "\t" if path.suffix == ".tsv" else ","
    reader = csv.DictReader(text.splitlines(), delimiter=delimiter, strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    if missing := [name for name in columns if name not in names]:
        raise ValueError(
            f"{path} has no column {', '.join(map(repr, missing))}; it has {', '.join(names)}"
        )
    reader.fieldnames = names
    for number, row in enumerate(reader, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{path}, line {number}: expected {len(names)} fields")
        yield {name: value.strip() for name, value in row.items()}


def read_labels(
    path: Path, key: str, classify: Callable[[Row], str | None], columns: Sequence[str]
) -> Labels:
    """Read the class of every row of a table.

    Parameters
    ----------
    path : Path
        The table.
    key : str
        Column that names the subject or scan.
    classify : callable
        Returns a row's class name; None for a row that has none.
    columns : sequence of str
        Columns `classify` looks at; they also say why a row has no class.

    Raises
    ------
    ValueError
        If two rows of the same key differ in class, or as `read_rows` says.
    """
    of: dict[str, str] = {}
    refused: dict[str, str] = {}
    for row in read_rows(path, [key, *columns]):
        label, name = classify(row), row[key]
        if label is None:
            shown = ", ".join(f"{column} {row[column] or 'empty'!r}" for column in columns)
            refused[name] = f"is of no class: {shown} in {path.name}"
        elif of.setdefault(name, label) != label:
            raise ValueError(f"{path} has two labels for {name}: {of[name]!r} and {label!r}")
    return Labels(of, refused, str(path))
