"""Folders for Ray's sessions: short names, and none left of processes that were killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pipelines.cluster.processes import began, is_alive
from structnets.files import write_json
from structnets.foreign.documents import parse_json

OWNER = "owner.json"
_LONGEST_MARK = 4096


@contextlib.contextmanager
def short_temp(prefix: str = "r") -> Iterator[Path]:
    """Make a folder for Ray's session with a short name, removed afterwards.

    A process that is killed cannot remove its own; others on the machine do, when they begin and
    when they end.
    """
    # Not $TMPDIR: Snakemake sets it per job, and it may be long.
    root = Path(os.environ.get("STRUCTNETS_TMP", "/tmp"))
    _remove_orphans(root)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=root))
    write_json(folder / OWNER, {"pid": os.getpid(), "created": began(os.getpid())})
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_orphans(root)


def _remove_orphans(root: Path) -> None:
    """Remove the folders of this user's processes that ended.

    Others may write beside them: what is looked at and removed is what was opened, no name.
    """
    for mark in root.glob(f"r*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            folder = os.open(mark.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(folder).st_uid == os.geteuid() and _is_orphan(folder):
                    _remove(folder)
                    mark.parent.rmdir()  # refused unless it is an empty folder
            finally:
                os.close(folder)


def _is_orphan(folder: int) -> bool:
    handle = os.open(OWNER, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(handle) as file:
        mine = os.fstat(handle).st_uid == os.geteuid()
        owner = parse_json(file.read(_LONGEST_MARK), OWNER)
    return mine and not is_alive(owner["pid"], owner["created"])


def _remove(folder: int) -> None:
    """Empty a folder, its mark last: Ray's last processes may still write there."""
    for name in os.listdir(folder):
        if name == OWNER:
            continue
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            shutil.rmtree(name, ignore_errors=True, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    if os.listdir(folder) == [OWNER]:
        os.unlink(OWNER, dir_fd=folder)
