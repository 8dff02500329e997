"""Results that move: the name their folder keeps, and artifacts that are found where they are now.

MLflow writes down whole addresses of artifacts. `follow_folder` turns those of the embedded store
to the folder beside it, whenever that store is opened. (Standard library only.)
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import uuid
from pathlib import Path
from urllib.parse import unquote, urlsplit

from structnets.files import write_atomic

ARTIFACTS = "mlartifacts"
# A results folder's own name, which goes with it wherever it is moved.
_NAME = ".results-id"
# Where MLflow keeps addresses of artifacts, beside those of experiments.
_ADDRESSES = (
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"),
)

log = logging.getLogger("structnets.tracking")


def results_name(results: str | os.PathLike[str]) -> str:
    """Return the name that a results folder keeps when it is moved, made when first asked for.

    Empty where there is none and none can be written.
    """
    file = Path(results).resolve() / _NAME
    try:
        if not file.exists():
            # The first of several that begin together gives the name.
            own = file.with_name(f"{_NAME}.{uuid.uuid4().hex}")
            write_atomic(own, f"{uuid.uuid4().hex}\n")
            with contextlib.suppress(FileExistsError):
                os.link(own, file)
            own.unlink()
        return file.read_text().strip()
    except OSError:
        return ""


def follow_folder(file: Path) -> None:
    """Turn the addresses in an embedded store, ``<results>/mlflow.db``, to the artifacts beside it.

    They differ where the results were moved, or copied, since MLflow last wrote.
    """
    try:
        with contextlib.closing(sqlite3.connect(file, timeout=30)) as store, store:
            for old, new in _moved(store, file.parent / ARTIFACTS):
                _turn(store, old, new)
    except sqlite3.Error as error:
        may_not = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
        remedy = "; copy the folder to where you may write, and open that" if may_not else ""
        log.warning(
            "tracking: %s: artifacts of a moved folder stay unknown: %s%s", file, error, remedy
        )


def _moved(store: sqlite3.Connection, folder: Path) -> list[tuple[str, str]]:
    """Return the addresses of experiments that are not in `folder`, each with the right one."""
    if not _has(store, "experiments", "artifact_location"):
        return []
    pairs = []
    for name, address in store.execute("SELECT name, artifact_location FROM experiments"):
        parts = Path(unquote(urlsplit(address or "").path)).parts
        new = (folder / name).as_uri()
        if address != new and parts[-2:] == (ARTIFACTS, name):
            pairs.append((address, new))
    return pairs


def _turn(store: sqlite3.Connection, old: str, new: str) -> None:
    store.execute(
        "UPDATE experiments SET artifact_location = ? WHERE artifact_location = ?", (new, old)
    )
    for table, column in _ADDRESSES:
        if _has(store, table, column):
            store.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) "
                f"WHERE substr({column}, 1, ?) = ?",
                (new, len(old) + 1, len(old) + 1, f"{old}/"),
            )
    log.info("tracking: the results were moved; their artifacts are %s", new)


def _has(store: sqlite3.Connection, table: str, column: str) -> bool:
    return column in {row[1] for row in store.execute(f"PRAGMA table_info({table})")}
