"""Values of unknown origin in messages: a few words of them, however large they are."""

from __future__ import annotations

import reprlib
from typing import Any

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
