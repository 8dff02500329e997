"""A fresh clone of this repository, with what is not committed yet."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.made_results import REPOSITORY


def fresh_clone(folder: Path) -> Path:
    """Clone into `folder`, then lay the working tree's changes over it."""
    subprocess.run(["git", "clone", "--quiet", "--shared", REPOSITORY, folder], check=True)
    for name in _listed("--modified", "--others", "--exclude-standard"):
        source, target = REPOSITORY / name, folder / name
        target.unlink(missing_ok=True)
        if source.exists() or source.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target, follow_symlinks=False)
    return folder


def its_modules(folder: Path) -> str:
    """Return the ``PYTHONPATH`` under which a clone runs its own code."""
    return os.pathsep.join([str(folder / "src"), str(folder)])


def _listed(*options: str) -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "-z", *options],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in done.stdout.split("\0") if name]
