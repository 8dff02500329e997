"""Names of subjects, sessions and scans: what may be part of a path, and which are nearly one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from structnets.foreign.near_names import unpadded

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_LONGEST = 100
_ENDING = re.compile(r"\.nii(\.gz)?$")
_SHOWN = 5


def path_part(name: str, what: str, source: object) -> str:
    """Return a name that files and folders are to be called by, if it may be.

    Parameters
    ----------
    name : str
        Of a subject or a session.
    what : str
        What it names, for the message.
    source : object
        Where it stands: a file or folder.

    Raises
    ------
    ValueError
        If it could leave its folder, has blanks or other characters, or is very long.
    """
    if not _PART.fullmatch(name) or len(name) > _LONGEST:
        raise ValueError(
            f"{source} names the {what} {name!r}; allowed: letters, digits, _ . - and at most "
            f"{_LONGEST} of them, a letter or digit first: rename it, or name it in the prepare "
            "parameter 'exclude'"
        )
    return name


def near_misses(scans: Iterable[str], labels: Iterable[str]) -> list[tuple[str, str]]:
    """Pair names of scans and of labels that differ in ``sub-``, zeros, case or ending only.

    Parameters
    ----------
    scans, labels : iterable of str
        Names without a partner on the other side.

    Returns
    -------
    list of (str, str)
        Pairs, scan first, in the order of the scans.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for name in labels:
        alike[_essence(name)].append(name)
    return [(scan, label) for scan in scans for label in alike.get(_essence(scan), ())]


def numbers_in(names: Sequence[str]) -> list[tuple[int, ...]] | None:
    """Return the numbers in names that differ in their numbers only; None for other names.

    Examples
    --------
    >>> numbers_in(["ses-10", "ses-2"])
    [(10,), (2,)]
    >>> numbers_in(["pre", "post"]) is None
    True
    """
    found = [tuple(int(digits) for digits in re.findall(r"\d+", name)) for name in names]
    texts = {re.sub(r"\d+", "#", name) for name in names}
    return found if len(texts) == 1 and len(set(found)) == len(found) else None


def shown(names: Sequence[str], between: str = ", ") -> str:
    """List the first few names or sentences in words."""
    rest = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return between.join([*names[:_SHOWN], *rest])


def _essence(name: str) -> str:
    plain = _ENDING.sub("", name.casefold().strip().removeprefix("./")).removeprefix("sub-")
    return unpadded(plain)
