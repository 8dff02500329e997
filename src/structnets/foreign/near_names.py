"""Names that people gave: which of them are in all likelihood one, written in two ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")


def refuse_near_names(names: Iterable[str], what: str) -> None:
    """Refuse names that look alike: one written in two ways, in all likelihood.

    They differ in capitals, blanks, how a letter with an accent is written, or as 1 and 1.0 do.

    Parameters
    ----------
    names : iterable of str
        All of them.
    what : str
        What they are names of, in the plural.

    Raises
    ------
    ValueError
        Naming both.

    Examples
    --------
    >>> refuse_near_names(["cat", "dog", "cats"], "classes")
    """
    first: dict[str, str] = {}
    for name in sorted(names):
        plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
        plain = plain.removesuffix(".0") if _NUMBER.fullmatch(plain) else plain
        if (other := first.setdefault(plain, name)) != name:
            raise ValueError(
                f"the {what} {other!a} and {name!a} have nearly one name: give both "
                "the same, or names that differ in more than capitals, blanks and accents' encoding"
            )
