"""MLflow's tables, made by a process that is killed half-way, or by an older MLflow."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.tracking import schema, store
from structnets.foreign.address import Address


class Killed(BaseException):
    """In place of a signal, which would take the tests with it."""


def version(file: Path) -> str:
    with closing(sqlite3.connect(file)) as database:
        return database.execute("SELECT version_num FROM alembic_version").fetchone()[0]


def tables(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return [name for (name,) in rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("made") / "mlflow.db"
    store.create_schema(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def of_old_mlflow(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the version before the installed one, with something in it."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils
    from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase

    file = tmp_path_factory.mktemp("old") / "mlflow.db"
    engine = utils.create_sqlalchemy_engine_with_retry(f"sqlite:///{file}")
    config = utils._get_alembic_config(f"sqlite:///{file}")
    newest = ScriptDirectory.from_config(config).get_revision("heads")
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, str(newest.down_revision))
    engine.dispose()
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO runs (run_uuid, name) VALUES ('mine', 'kept')")
    assert version(file) != version(made)
    return file


@pytest.fixture
def half_way(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Be killed when half of the tables of a file are made or changed."""
    whole = schema._upgrade

    def ask(file: Path) -> None:
        def upgrade(uri: str) -> None:
            with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as database, database:
                database.execute("CREATE TABLE _alembic_tmp_experiments (name)")
                database.execute("DROP TABLE IF EXISTS runs")
            raise Killed

        monkeypatch.setattr(schema, "_upgrade", upgrade)
        with pytest.raises(Killed):
            store.create_schema(f"sqlite:///{file}")
        monkeypatch.setattr(schema, "_upgrade", whole)

    return ask


def test_maker_killed_half_way_leaves_no_half(
    tmp_path: Path, made: Path, half_way: Callable[[Path], None]
) -> None:
    file = tmp_path / "mlflow.db"
    half_way(file)
    assert not store.exists(Address(f"sqlite:///{file}"))
    store.connect(f"sqlite:///{file}")
    assert tables(file) == tables(made)


def test_empty_file_is_no_store(tmp_path: Path, made: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.touch()
    store.connect(f"sqlite:///{file}")
    assert tables(file) == tables(made)


def test_store_of_an_older_mlflow_is_upgraded(
    tmp_path: Path, made: Path, of_old_mlflow: Path
) -> None:
    file = Path(shutil.copy(of_old_mlflow, tmp_path))
    store.create_schema(f"sqlite:///{file}")
    assert version(file) == version(made)
    assert rows_of(file) == [("mine", "kept")]
    assert {path.name for path in tmp_path.iterdir()} == {"mlflow.db", "mlflow.db.lock"}


@pytest.mark.parametrize("cleans_up", [True, False])
def test_upgrade_killed_half_way_loses_nothing(
    tmp_path: Path,
    made: Path,
    of_old_mlflow: Path,
    half_way: Callable[[Path], None],
    cleans_up: bool,
) -> None:
    file = Path(shutil.copy(of_old_mlflow, tmp_path))
    if cleans_up:
        half_way(file)
        assert rows_of(file) == [("mine", "kept")]
    else:  # as SIGKILL leaves it
        shutil.copy(of_old_mlflow, tmp_path / "mlflow.db.before-upgrade")
        kill_in_a_transaction(file)
        assert file.with_name("mlflow.db-journal").exists()
    store.create_schema(f"sqlite:///{file}")
    assert version(file) == version(made)
    assert rows_of(file) == [("mine", "kept")]


def test_current_store_is_left_as_it_is(tmp_path: Path, made: Path) -> None:
    file = Path(shutil.copy(made, tmp_path))
    before = file.read_bytes()
    store.create_schema(f"sqlite:///{file}")
    assert file.read_bytes() == before


def test_copy_left_by_a_finished_upgrade_replaces_nothing(
    tmp_path: Path, made: Path, of_old_mlflow: Path
) -> None:
    file = Path(shutil.copy(made, tmp_path))
    shutil.copy(of_old_mlflow, tmp_path / "mlflow.db.before-upgrade")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("INSERT INTO runs (run_uuid, name) VALUES ('since', 'logged')")
    store.create_schema(f"sqlite:///{file}")
    assert rows_of(file) == [("since", "logged")]
    assert not (tmp_path / "mlflow.db.before-upgrade").exists()


def kill_in_a_transaction(file: Path) -> None:
    """Leave the file with half of a change, and the journal that would take it back."""
    code = (
        "import os, signal, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1])\n"
        "database.execute('PRAGMA cache_size = 1')\n"
        "database.execute('DROP TABLE experiments')\n"
        "database.execute('BEGIN')\n"
        "database.execute('CREATE TABLE filled (text)')\n"
        "for _ in range(200): database.execute('INSERT INTO filled VALUES (?)', ['x' * 4000])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=False)


def rows_of(file: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute("SELECT run_uuid, name FROM runs").fetchall()
