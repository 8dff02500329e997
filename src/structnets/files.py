"""Files written whole or not at all, and their checksums (standard library only)."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import math
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets.foreign.documents import parse_json, read_text

_CHUNK = 1 << 20
_UNFINISHED = re.compile(r"^\.(.+)\.[a-z0-9_]{8}\.part$")


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary sibling of `path` that replaces it when the block ends well.

    Parameters
    ----------
    path : path
        The final name. Its directory is made if it is missing.

    Yields
    ------
    pathlib.Path
        A name in the same directory, so that the final rename is atomic. When the block
        raises (a full disk, say), the temporary file is removed and `path` is untouched.
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{final.name}.", suffix=".part", dir=final.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~umask())
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


def umask() -> int:
    """Return the process' mask of permissions, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def named_by_user(path: str | os.PathLike[str]) -> Path:
    """Return a path that somebody wrote with what a leading ``~`` stands for.

    Raises
    ------
    ValueError
        If nobody has that name, or whoever runs this has no home.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(
            f"{os.fspath(path)!r}: there is no home folder of that name; write the whole path"
        ) from error


def final_name(path: str | os.PathLike[str]) -> str:
    """Return the name that a file of `atomic_path` gets in the end; of others, their own.

    Examples
    --------
    >>> final_name("results/.report.html.x1_y2z3w.part")
    'results/report.html'
    """
    found = Path(path)
    return str(found.with_name(_UNFINISHED.sub(r"\1", found.name))) if found.name else str(path)


def write_atomic(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write `content` (text as UTF-8) to `path` atomically."""
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def json_text(content: Any) -> str:
    """Return `content` as readable JSON with sorted keys; NaN and infinity become null."""
    options: dict[str, Any] = {"indent": 1, "sort_keys": True, "ensure_ascii": False}
    try:
        text = json.dumps(content, allow_nan=False, **options)
    except ValueError:
        text = json.dumps(_finite(content), allow_nan=False, **options)
    return text + "\n"


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def csv_text(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows as CSV with a line of names; None becomes an empty field.

    Raises
    ------
    ValueError
        If a row has a key that is no name.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write `content` as `json_text` does, atomically."""
    write_atomic(path, json_text(content))


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file; a damaged one is named in the error.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    ValueError
        If the file is not JSON (NaN and Infinity are not), or too large.
    """
    return parse_json(read_text(Path(path)), path)


def is_mine(path: Path) -> bool:
    """Say whether a file is this user's and no link: on shared machines, others' are not believed.

    Others are those that this file system calls so; a server may show all users under one name.
    """
    found = path.lstat()
    return stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()


def file_facts(path: Path) -> dict[str, Any]:
    """Return what tells a file from others: its ``sha256`` and ``size`` in bytes."""
    return {"sha256": sha256_file(path), "size": path.stat().st_size}


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits, reading it in pieces."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
