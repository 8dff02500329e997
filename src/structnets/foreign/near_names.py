"""Names that people gave: which of them are in all likelihood one, written in two ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_NUMBER = re.compile(r"([+-]?)(\d+)(?:[.,](\d*))?", re.ASCII)
_ZEROS = re.compile(r"(?<!\d)(?<!\d\.)0+(?=\d)", re.ASCII)


def plain_name(name: str) -> str:
    """Return a name without what differs where one name is written in two ways.

    That is capitals, blanks, how a letter with an accent is encoded, and how a number is written.

    Examples
    --------
    >>> plain_name(" Cat "), plain_name("01"), plain_name("1.00"), plain_name("1.50")
    ('cat', '1', '1', '1.5')
    """
    plain = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    if number := _NUMBER.fullmatch(plain):
        sign, whole, decimals = number.groups()
        text = f"{whole.lstrip('0') or '0'}.{(decimals or '').rstrip('0')}".removesuffix(".")
        return text if sign in ("", "+") or text == "0" else f"-{text}"
    return plain


def unpadded(name: str) -> str:
    """Return a name whose numbers have no zeros in front, as spreadsheets leave them.

    Decimals keep theirs.

    Examples
    --------
    >>> unpadded("sub-007"), unpadded("img00"), unpadded("v1.05")
    ('sub-7', 'img0', 'v1.05')
    """
    return _ZEROS.sub("", name)


def refuse_near_names(names: Iterable[str], what: str) -> None:
    """Refuse names that look alike: one written in two ways, in all likelihood.

    They differ as `plain_name` says, or in zeros before a number, as ``sub-1`` and ``sub-01`` do.
    Those of one length, as ``a01b1`` and ``a1b01``, are two names: none has lost a zero.

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
    >>> refuse_near_names(["cat", "dog", "cats", "1.5", "15"], "classes")
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for name in sorted(set(names)):
        plain = plain_name(name)
        alike = found.setdefault(unpadded(plain), [])
        for seen, other in alike:
            if seen == plain or len(seen) != len(plain):
                raise ValueError(
                    f"the {what} {other!a} and {name!a} have nearly one name: give both the same, "
                    "or names that differ in more than capitals, blanks, accents' encoding and "
                    "zeros before a number"
                )
        alike.append((plain, name))
