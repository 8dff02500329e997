"""The tables of MLflow's database: made whole or not at all, and upgraded without a loss.

MLflow makes them in some forty steps, which SQLite cannot take back: a file whose maker was killed
between two of them can neither be used nor finished. So a new file is made under another name, and
of an old one there is a copy until its upgrade has ended.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from pipelines.tracking.environment import quiet
from structnets.files import atomic_path
from structnets.foreign.address import Address

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_SQLITE = "sqlite:///"


def make_tables(address: Address) -> None:
    """Make MLflow's tables in a database, or bring them to the version installed here.

    Parameters
    ----------
    address : Address
        A database. Of an SQLite file the caller holds the lock.
    """
    if address.file is None:
        _upgrade(address.client)
        return
    file = Path(address.file)
    before = file.with_name(f"{file.name}.before-upgrade")
    if before.exists():  # whoever upgraded it was killed
        if has_tables(file) and _is_current(address.client):
            before.unlink()  # after the upgrade's end
        else:
            _restore(before, file)
    if not has_tables(file):
        with atomic_path(file) as part:
            _upgrade(f"{_SQLITE}{part}")
    elif not _is_current(address.client):
        with atomic_path(before) as part:
            _copy(file, part)
        try:
            _upgrade(address.client)
        except BaseException:
            _restore(before, file)
            raise
        before.unlink()


def has_tables(file: Path) -> bool:
    """Return whether the file is there and holds anything."""
    return file.exists() and file.stat().st_size > 0


def _restore(before: Path, file: Path) -> None:
    """Put the copy in the file's place; what SQLite noted beside it was of the file."""
    for end in ("-journal", "-wal", "-shm"):
        file.with_name(f"{file.name}{end}").unlink(missing_ok=True)
    before.replace(file)


def _copy(file: Path, copy: Path) -> None:
    with (
        contextlib.closing(sqlite3.connect(file)) as old,
        contextlib.closing(sqlite3.connect(copy)) as new,
    ):
        old.backup(new)


def _is_current(uri: str) -> bool:
    utils = _utils()
    from mlflow.exceptions import MlflowException

    with _engine(uri) as engine:
        try:
            utils._verify_schema(engine)
        except MlflowException:
            return False
    return True


def _upgrade(uri: str) -> None:
    """Do what ``mlflow db upgrade`` does."""
    utils = _utils()
    with _engine(uri) as engine:
        if utils._is_empty_database(engine):
            utils._initialize_tables(engine)
        else:
            utils._upgrade_db(engine)


@contextlib.contextmanager
def _engine(uri: str) -> Iterator[Engine]:
    engine = _utils().create_sqlalchemy_engine_with_retry(uri)
    try:
        yield engine
    finally:
        engine.dispose()


def _utils() -> ModuleType:
    quiet()
    from mlflow.store.db import utils

    quiet()  # mlflow sets its loggers' levels when it is imported
    return utils
