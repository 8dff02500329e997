"""A kit's runs in a few archives of bounded size, and back (standard library only)."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from structnets.files import atomic_path
from structnets.foreign.shown import shortened
from structnets.foreign.tar_archives import FAULTS, open_tar

MOST_FILES = 8
MOST_BYTES = 15 << 20
"""Of one archive. Both bounds are what a lent machine sends back."""

_PUBLISHED = ("result.json", "curves.csv", "spec.json", "model.pt")
_STATE = ("spec.json", "attempts.json")
_MEMBER = re.compile(
    r"runs/[a-z0-9][a-z0-9_.-]*/(result\.json|curves\.csv|spec\.json|model\.pt"
    r"|work/(spec|attempts)\.json|work/checkpoints/step-\d{9}\.pt)"
)


def pack(work: Path, out: Path) -> list[str]:
    """Pack finished runs, and the newest checkpoint of begun ones.

    A run is never divided, so that each archive is of use alone. Finished runs come first; where
    not all fit, checkpoints, largest first, are left out.

    Parameters
    ----------
    work : Path
        Holds ``runs/<run id>``.
    out : Path
        Gets ``kit-1.tar`` and so on; each is replaced in one step.

    Returns
    -------
    list of str
        Runs that were left out.
    """
    finished, begun = [], []
    for folder in sorted((work / "runs").glob("*/")):
        files = list(_files(folder))
        size = sum(path.stat().st_size + 1024 for path in files)
        if files:
            done = (folder / "result.json").is_file()
            (finished if done else begun).append((size, folder.name, files))
    places: list[tuple[int, list[Path]]] = [(0, []) for _ in range(MOST_FILES)]
    left_out = []
    for size, name, files in [*sorted(finished), *sorted(begun)]:
        place = next((i for i, (held, _) in enumerate(places) if held + size <= MOST_BYTES), None)
        if place is None:
            left_out.append(name)
            continue
        held, paths = places[place]
        places[place] = (held + size, [*paths, *files])
    for number, (_, paths) in enumerate(places, 1):
        if not paths:
            continue
        with (
            atomic_path(out / f"kit-{number}.tar") as temporary,
            tarfile.open(temporary, "w") as archive,
        ):
            for path in paths:
                archive.add(path, path.relative_to(work).as_posix(), recursive=False)
    return left_out


def unpack(archives: Path, work: Path, *, finished_only: bool = False) -> list[str]:
    """Take the runs out of archives; returns their ids.

    Parameters
    ----------
    archives : Path
        Folder of ``kit-1.tar`` and so on.
    work : Path
        Gets ``runs/<run id>``.
    finished_only : bool
        Leave checkpoints of begun runs where they are.

    Raises
    ------
    ValueError
        If an archive is damaged, holds anything but files of runs, or more than its bounds.
    FileNotFoundError
        If there is no archive.
    """
    found = sorted(archives.glob("kit-*.tar"))
    if not found:
        raise FileNotFoundError(f"{archives} holds no kit-1.tar, which a call on a kit writes")
    runs = set()
    for path in found:
        with path.open("rb") as file:
            archive = _read(file, path)
            # A run counts as published by its result, which therefore comes last.
            for member in sorted(archive.getmembers(), key=lambda one: "/result" in one.name):
                if not (finished_only and "/work/" in member.name):
                    _take(archive, member, work / member.name)
                    runs.add(member.name.split("/")[1])
    return sorted(runs)


def _take(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    source = archive.extractfile(member)
    assert source is not None  # a regular file
    with source, atomic_path(path) as temporary, temporary.open("wb") as target:
        shutil.copyfileobj(source, target)


def _read(file: IO[bytes], path: Path) -> tarfile.TarFile:
    """Open an archive and look at all its members before any is taken out."""
    try:
        archive = open_tar(file)
        members = archive.getmembers()
    except FAULTS as error:
        raise ValueError(
            f"{path} is damaged or no tar archive: {shortened(error)}; copy it again"
        ) from error
    for member in members:
        if not member.isreg() or not _MEMBER.fullmatch(member.name):
            raise ValueError(f"{path} holds {member.name!r}, which is no file of a run")
    if sum(member.size for member in members) > path.stat().st_size:
        raise ValueError(f"{path} declares more than it holds")
    return archive


def checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints of a run, the newest last."""
    return sorted((folder / "work" / "checkpoints").glob("step-*.pt"))


def _files(folder: Path) -> Iterator[Path]:
    """Yield what there is to take of a run."""
    if (folder / "result.json").is_file():
        yield from (folder / name for name in _PUBLISHED if (folder / name).is_file())
        return
    states = checkpoints(folder)
    if states:
        yield from (folder / "work" / name for name in _STATE if (folder / "work" / name).is_file())
        yield states[-1]
