"""Which files there are and what is in them: listings of a user's own data, and their digest.

Content is science: a file that is added, replaced or named otherwise makes another digest.
Checksums are of bytes; size and times of a file only tell when it must be read again, so that
listing ten thousand unchanged files takes a fraction of a second (standard library only). The times
are that of its content, which a copy may keep, and that of its last change, which nobody sets.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from structnets.files import read_json, sha256_file, write_json
from structnets.identity import digest

# A file that was written so shortly before it was read may change again within one tick of its
# file system's clock, without another size or time.
_SETTLED_NS = 2_000_000_000
_THREADS = 4


@dataclass(frozen=True)
class ListedFile:
    """One file below a folder.

    Attributes
    ----------
    name : str
        Its path below the folder, with ``/``.
    size : int
        In bytes.
    sha256 : str
        Of its bytes, 64 hexadecimal digits.
    """

    name: str
    size: int
    sha256: str


def visible_files(folder: Path) -> Iterator[str]:
    """Yield the paths below `folder` of its files, in order, with ``/``.

    Names that begin with a dot are no data: neither such files nor what lies in such folders.
    Links to folders are followed, but none that leads back to a folder it lies in.

    Raises
    ------
    OSError
        If a folder cannot be read.
    """
    yield from _below(folder, "", (os.path.realpath(folder),))


def _below(folder: Path, prefix: str, above: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            yield prefix + entry.name
            continue
        real = os.path.realpath(entry.path)
        if real not in above:
            yield from _below(Path(entry.path), f"{prefix}{entry.name}/", (*above, real))


def refuse_other_encodings(path: str | os.PathLike[str]) -> None:
    """Refuse a path that no text holds: one that is not in UTF-8, as old archives leave names.

    Raises
    ------
    ValueError
        Naming it, with escapes.
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"the name {os.fspath(path)!a} is not in UTF-8: rename the file or folder"
        ) from error


def refuse_line_breaks(name: str) -> None:
    """Refuse a name that lists with a name in each line cannot hold.

    Raises
    ------
    ValueError
        Naming it, with escapes.
    """
    if name.splitlines() != [name]:
        raise ValueError(f"the name {name!a} has a line break: rename the file or folder")


def list_files(
    folder: Path,
    names: Iterable[str],
    known: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[ListedFile]:
    """List files with their checksums, reading only those that may have changed.

    Parameters
    ----------
    folder : Path
        Where they lie.
    names : iterable of str
        Their paths below it.
    known : Path, optional
        A JSON file that keeps what was read. It is only a memory: damaged or removed, all files are
        read again.
    progress : callable
        Told files read and their total, while files are read.

    Returns
    -------
    list of ListedFile
        In the order of `names`.

    Raises
    ------
    OSError
        If a file is not there or cannot be read; the error names it.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("content")
    >>> [(file.name, file.size) for file in list_files(folder, visible_files(folder))]
    [('a.txt', 7)]
    """
    names = list(names)
    memory = _remembered(known)
    facts = {name: (folder / name).stat() for name in names}
    keys = {
        name: [found.st_size, found.st_mtime_ns, found.st_ctime_ns] for name, found in facts.items()
    }
    changed = [name for name in names if memory.get(name, [])[:-1] != keys[name]]
    checksums = {name: str(memory[name][-1]) for name in names if name in memory}
    with ThreadPoolExecutor(_THREADS) as pool:
        read = pool.map(sha256_file, (folder / name for name in changed))
        for number, (name, found) in enumerate(zip(changed, read, strict=True), 1):
            checksums[name] = found
            progress(number, len(changed))
    if known is not None and (changed or len(memory) != len(names)):
        now = time.time_ns()
        kept = {
            name: [*keys[name], checksums[name]]
            for name in names
            if max(keys[name][1:]) < now - _SETTLED_NS
        }
        write_json(known, kept)
    return [ListedFile(name, keys[name][0], checksums[name]) for name in names]


def _remembered(known: Path | None) -> dict[str, list[int | str]]:
    """Return what was read before, by name: size, times, checksum; nothing from a damaged file."""
    if known is None:
        return {}
    try:
        memory = read_json(known)
    except (OSError, ValueError):
        return {}
    whole = isinstance(memory, dict) and all(
        isinstance(entry, list) and len(entry) == 4 for entry in memory.values()
    )
    return memory if whole else {}


def content_digest(rows: Iterable[Iterable[str | int | None]]) -> str:
    """Digest a listing with what is said of each file, whatever order it is given in.

    Parameters
    ----------
    rows : iterable
        Of each file its name, checksum, and what else counts: label, split, subject.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> rows = [("b.png", "11", "dog"), ("a.png", "00", "cat")]
    >>> content_digest(rows) == content_digest(reversed(rows))
    True
    """
    return digest(sorted((list(row) for row in rows), key=repr))
