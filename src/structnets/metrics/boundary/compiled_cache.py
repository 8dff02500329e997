"""Where numba keeps what it compiled, if neither this package nor the user's cache is writable.

numba refuses to import functions to be cached when it finds no place for them, as in a read-only
container without a home. Standard library only, and before numba is imported.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

_VARIABLE = "NUMBA_CACHE_DIR"


def ensure_cache() -> None:
    """Point numba to a private temporary folder if no place it would try can be written.

    Processes that this one starts share the folder; it is removed when this one ends.
    """
    stated = os.environ.get(_VARIABLE)
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    places = [Path(__file__).parent / "__pycache__", _expanded(f"{home}/numba")]
    if any(map(_is_writable, [Path(stated), *places] if stated else places)):
        return
    # Not a known name: what lies there is unpickled.
    folder = tempfile.mkdtemp(prefix="structnets-numba-")
    atexit.register(_remove, folder, os.getpid())
    os.environ[_VARIABLE] = folder
    if numba := sys.modules.get("numba"):
        numba.config.CACHE_DIR = folder


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:
        # Without a home there is no such folder.
        return Path(path)


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
