"""Folders of prepared data: replaced whole, one writer at a time, other people's left alone."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from structnets.data.manifest import is_prepared_file


def refuse_foreign(final: Path) -> None:
    """Refuse to replace what is not prepared data: a mistyped path must not cost a folder.

    Raises
    ------
    ValueError
        If `final` is a file or holds files of another kind.
    """
    if final.exists() and not final.is_dir():
        raise ValueError(f"{final} is a file; prepared data needs a folder of its own")
    if not final.exists():
        return
    foreign = sorted(entry.name for entry in final.iterdir() if not is_prepared_file(entry.name))
    if foreign:
        raise ValueError(
            f"{final} holds files that are not prepared data ({', '.join(foreign[:3])}); "
            "choose another folder or remove them"
        )


@contextlib.contextmanager
def writer_lock(final: Path) -> Iterator[bool]:
    """Wait for other writers of `final`; yield whether the file system can tell of them."""
    import fcntl

    with (final.parent / f".{final.name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            # Some cluster file systems have no locks. Renames are still atomic there.
            yield False
        else:
            yield True


def remove_leftovers(final: Path) -> None:
    """Remove what killed writers of `final` left beside it."""
    for entry in final.parent.iterdir():
        if entry.name.startswith(f".{final.name}.") and entry.name.endswith(".part"):
            shutil.rmtree(entry, ignore_errors=True)


def swap(building: Path, final: Path) -> None:
    """Give the folder `building` the name `final`; what has it now is removed."""
    if not final.exists():
        building.rename(final)
        return
    aside = building.with_suffix(".old.part")
    final.rename(aside)
    building.rename(final)
    shutil.rmtree(aside, ignore_errors=True)
