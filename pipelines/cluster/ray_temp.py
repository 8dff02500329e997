"""Folders for Ray's sessions: short names, and none left of processes that were killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from pipelines.cluster.processes import is_alive
from structnets.files import read_json, write_json

OWNER = "owner.json"


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
    me = psutil.Process()
    write_json(folder / OWNER, {"pid": me.pid, "created": me.create_time()})
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _remove_orphans(root)


def _remove_orphans(root: Path) -> None:
    for mark in root.glob(f"r*/{OWNER}"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            owner = read_json(mark)
            mine = mark.stat().st_uid == os.geteuid()
            if mine and not is_alive(owner["pid"], owner["created"]):
                _remove(mark.parent)


def _remove(folder: Path) -> None:
    """Remove a folder, its mark last: Ray's last processes may still write there."""
    for path in folder.iterdir():
        if path.name != OWNER:
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
    if [path.name for path in folder.iterdir()] == [OWNER]:
        shutil.rmtree(folder)
