"""Folders of prepared data that are at any moment absent, the old or the new one."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from structnets.data.prepared.manifest import (
    OF_EVERY_FOLDER,
    load_manifest,
    verify_files,
    write_manifest,
)
from structnets.files import file_facts, umask


def write_whole(
    directory: str | os.PathLike[str],
    names: Collection[str],
    facts: Mapping[str, Any],
    fill: Callable[[Path], None],
) -> dict[str, Any]:
    """Let `fill` write prepared data into a folder that takes the place of `directory` at once.

    Parameters
    ----------
    directory : path
        The folder to make. What a killed writer left beside it is removed. If it already holds
        the same data, whole, it is not touched.
    names : collection of str
        Files that `fill` writes.
    facts : mapping
        Entries of the manifest that do not follow from the files
        (`structnets.data.prepared.manifest.write_manifest`).
    fill : callable
        Given an empty folder, writes the files.

    Returns
    -------
    dict
        The manifest of `directory`.

    Raises
    ------
    ValueError
        If `directory` holds files of another kind.
    OSError
        If writing fails; `directory` is then as it was.
    """
    # Resolved, so that a link to another disk is kept and the rename stays on that disk.
    final = Path(directory).resolve()
    refuse_foreign(final, names.__contains__)
    final.parent.mkdir(parents=True, exist_ok=True)
    with writer_lock(final) as sole_writer:
        if sole_writer:
            remove_leftovers(final)
        building = Path(
            tempfile.mkdtemp(prefix=f".{final.name}.", suffix=".part", dir=final.parent)
        )
        try:
            building.chmod(0o777 & ~umask())
            fill(building)
            files = {name: file_facts(building / name) for name in names}
            manifest = write_manifest(building, facts, files)
            if _holds(final, manifest):
                return load_manifest(final)
            swap(building, final)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return manifest


def refuse_foreign(final: Path, known: Callable[[str], bool]) -> None:
    """Refuse to replace what is not prepared data: a mistyped path must not cost a folder.

    Parameters
    ----------
    final : Path
        The folder.
    known : callable
        Says of a file's name whether it is of the form that is about to be written. What a whole
        manifest lists may be there too.

    Raises
    ------
    ValueError
        If `final` is a file or holds files of another kind.
    """
    if final.exists() and not final.is_dir():
        raise ValueError(f"{final} is a file; prepared data needs a folder of its own")
    if not final.exists():
        return
    try:
        listed = {*OF_EVERY_FOLDER, *load_manifest(final)["files"]}
    except (OSError, ValueError):
        listed = set(OF_EVERY_FOLDER)
    there = sorted(entry.name for entry in final.iterdir())
    foreign = [name for name in there if name not in listed and not known(name)]
    if foreign:
        raise ValueError(
            f"{final} holds files that are not prepared data ({', '.join(foreign[:3])}); "
            "choose another folder for prepared data"
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


def _holds(final: Path, manifest: Mapping[str, Any]) -> bool:
    if verify_files(final):
        return False
    old = load_manifest(final)
    # What the digest does not cover is compared too, but for the versions that wrote it.
    return all(old[key] == manifest[key] for key in ("digest", "image_shape", "classes", "counts"))


def swap(building: Path, final: Path) -> None:
    """Give the folder `building` the name `final`; what has it now is removed."""
    if not final.exists():
        building.rename(final)
        return
    aside = building.with_suffix(".old.part")
    final.rename(aside)
    building.rename(final)
    shutil.rmtree(aside, ignore_errors=True)
