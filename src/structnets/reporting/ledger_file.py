"""A file of the ledger whose lines each have the id of their content: analyses, and sweeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets import files, identity
from structnets.foreign.documents import parse_json, read_text
from structnets.reporting.markdown import escaped

Line = dict[str, Any]


@dataclass(frozen=True)
class LedgerFile:
    """One such file.

    Attributes
    ----------
    name : str
        Of the file.
    what : str
        Of what it holds lines, for messages: ``an analysis``.
    id_key : str
        The key of a line's id.
    keys, optional : tuple of str
        Those that a line has, and those that it may have besides.
    content_id : callable
        Returns the id that a line's content gives; None, or an error of a missing key or a wrong
        type, for what has not the form of such a line.
    place : callable
        Returns what a line is of: a new line replaces the one of the same.
    """

    name: str
    what: str
    id_key: str
    keys: tuple[str, ...]
    content_id: Callable[[Line], str | None]
    place: Callable[[Line], tuple[Any, ...]]
    optional: tuple[str, ...] = ()

    def read(self, directory: Path) -> dict[str, Line]:
        """Read the lines, by id; empty where there is no file.

        Raises
        ------
        ValueError
            Naming file and line, if a line is damaged or repeats an id, or if its id is not that
            of what it says was asked.
        """
        path, lines = directory / self.name, {}
        if not path.is_file():
            return {}
        for number, text in enumerate(read_text(path).splitlines(), start=1):
            place = f"{path}:{number}"
            line = parse_json(text, place)
            if not isinstance(line, dict) or set(line) - set(self.optional) != set(self.keys):
                raise ValueError(f"{place}: an object with the keys {sorted(self.keys)} is needed")
            stated, expected = line[self.id_key], self._checked_id(line, place)
            if stated != expected:
                raise ValueError(
                    f"{place}: {self.id_key} is {stated!r}, its content gives {expected!r}"
                )
            if stated in lines:
                raise ValueError(f"{place}: {stated} has a line already")
            lines[stated] = line
        return lines

    def _checked_id(self, line: Line, place: str) -> str:
        try:
            found = self.content_id(line)
        except (KeyError, TypeError, AttributeError, RecursionError):
            found = None
        if found is None:
            raise ValueError(f"{place}: the line is not that of {self.what}")
        return found

    def append(self, directory: Path, lines: Iterable[Line]) -> None:
        """Add lines, replacing those of the same place; atomically."""
        new = list(lines)
        if not new:
            return
        replaced = {self.place(line) for line in new}
        kept = [line for line in self.read(directory).values() if self.place(line) not in replaced]
        merged = sorted([*kept, *new], key=lambda line: line[self.id_key])
        text = "".join(identity.canonical_json(line) + "\n" for line in merged)
        files.write_atomic(directory / self.name, text)


class Measured:
    """What several such lines say of one target: of other seeds, or repeats of a measurement."""

    lines: dict[int, Line]
    differs: list[str] | None

    @property
    def comparable(self) -> bool:
        """Whether it was measured under the full protocol."""
        return self.differs == []

    @property
    def line(self) -> Line:
        """The first line."""
        return self.lines[min(self.lines)]

    def origin(self, data: str) -> str:
        """Write of which preset, data, hardware and commit the first line is."""
        line = self.line
        return (
            f"preset {line['preset']} · data {escaped(data)} · hardware "
            f"{escaped(line['hardware']['class'])} · commit {escaped(str(line['commit'])[:12])}"
        )
