"""Values of unknown origin in messages: a few words of them, however large they are."""

from __future__ import annotations

import logging
import reprlib
from typing import Any, TextIO

_LONGEST = 120


class _Shown(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = _LONGEST // 2
        self.maxlong = 40

    def repr_int(self, x: int, level: int) -> str:
        # Python refuses to write very long ones.
        return super().repr_int(x, level) if x.bit_length() < 1000 else "a very large number"

    def repr_bytes(self, x: bytes, level: int) -> str:
        return repr(x[:40]) + "..." * (len(x) > 40)

    def repr_ndarray(self, x: Any, level: int) -> str:
        return f"an array of shape {x.shape}"


_REPR = _Shown()


def shown(value: object) -> str:
    """Return `value` as an error shows it: like `repr`, never more than some hundred letters.

    Examples
    --------
    >>> shown("cifar")
    "'cifar'"
    >>> len(shown([["x" * 1000] * 1000] * 1000)) < 500
    True
    """
    return shortened(_REPR.repr(value), 4 * _LONGEST)


def shortened(text: object, longest: int = 2 * _LONGEST) -> str:
    """Return text on one line, cut where it is longer than `longest` letters.

    What steers a terminal, or turns the direction of writing, stands there as its escape.
    """
    line = printable(" ".join(str(text)[: 100 * longest].split()))
    return line if len(line) <= longest else line[: longest - 3] + "..."


def printable(text: str) -> str:
    r"""Return text with the escapes of letters that cannot be seen in their place.

    Examples
    --------
    >>> print(printable("a\x1b[2Jb"))
    a\x1b[2Jb
    """
    if text.isprintable():
        return text
    return "".join(
        letter
        if letter.isprintable()
        else letter.encode("unicode_escape", "surrogatepass").decode()
        for letter in text
    )


def printable_lines(text: object) -> str:
    r"""Return text of several lines as a terminal may be given it, whatever names stand in it.

    Examples
    --------
    >>> print(printable_lines("b\x1b[2J.png:\n\tleft out"))
    b\x1b[2J.png:
        left out
    """
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in str(text).split("\n"))


class PrintableFormatter(logging.Formatter):
    """Writes records as `printable_lines`: messages name files, whose names may hold anything."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines of a record."""
        return printable_lines(super().format(record))


def log_to(stream: TextIO, pattern: str) -> None:
    """Write log messages from INFO on to `stream`, as `PrintableFormatter` does.

    Of Matplotlib's only errors: it tells which fonts and folders it takes instead of others.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter(pattern))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
