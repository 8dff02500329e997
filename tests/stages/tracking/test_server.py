"""A real MLflow server that goes away and comes back; the serial init; the pages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipelines import serve_ui, track_init
from pipelines.tracking import Tracker, artifacts, pages, store
from pipelines.tracking.experiments import CHAPTERS
from pipelines.tracking.places import follow_folder
from structnets.files import sha256_file

RUN = "rfnn_mnist-mnist-n300-s0-0a1b2c3d"


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a results folder whose store and experiments exist."""
    folder = tmp_path_factory.mktemp("results")
    marker = folder / "mlflow.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert track_init.main(["--results", str(folder), "--out", str(marker)]) == 0
    return folder


@pytest.fixture
def serve(results: Path, port: int, tmp_path: Path) -> Iterator[Callable[[], subprocess.Popen]]:
    """Start the server that `make ui` starts; at most one is left running, which is ended."""
    started: list[subprocess.Popen] = []

    def begin() -> subprocess.Popen:
        with (tmp_path / "server.log").open("a") as log:
            server = subprocess.Popen(
                serve_ui.server_command(results, port),
                stdout=log, stderr=log, start_new_session=True,
                env=os.environ | serve_ui.server_environment(),
            )  # fmt: skip
        started.append(server)
        until = time.monotonic() + 200
        while time.monotonic() < until:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return server
        raise TimeoutError((tmp_path / "server.log").read_text())

    yield begin
    for server in started:
        if server.poll() is None:
            kill(server)


def kill(server: subprocess.Popen) -> None:
    """Kill the server and the worker it started, as a crash of its machine would."""
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@pytest.mark.slow
def test_outage_in_the_middle_loses_and_repeats_nothing(
    results: Path,
    serve: Callable[[], subprocess.Popen],
    port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asking: set[int] = set()
    ask = requests.Session.request

    def noted(*given: Any, **named: Any) -> requests.Response:
        asking.add(threading.get_ident())
        return ask(*given, **named)

    uri = f"http://127.0.0.1:{port}"
    file = results / "runs" / RUN / "result.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}\n")
    first = serve()
    # An experiment that the server makes, so that artifacts travel through it.
    tracker = Tracker.open(
        uri, results, "remote", RUN, params={"seed": 0}, tags={}, spool=tmp_path / "spool"
    )
    monkeypatch.setattr(requests.Session, "request", noted)
    for step in range(100):
        if step == 40:
            assert tracker.flush()
            kill(first)
        tracker.log_metrics(step, {"loss": float(step)})
    # What trains is never the one that asks the server and waits.
    assert threading.get_ident() not in asking
    assert asking
    assert not tracker.flush(5)
    tracker.log_artifacts({"result.json": file})
    serve()
    assert tracker.finish()
    client = store.connect(uri)
    run = client.get_run(str(tracker.mlflow_run_id))
    logged = [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "loss")]
    assert sorted(logged) == [(step, float(step)) for step in range(100)]
    assert run.info.status == "FINISHED"
    assert len(client.search_runs([run.info.experiment_id])) == 1
    checksums = {"result.json": sha256_file(file)}
    assert artifacts.stored_checksums(client, run.info.run_id) == checksums


def test_moved_results_of_somebody_else_are_said_to_need_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file, connect = store.database(tmp_path), sqlite3.connect
    with contextlib.closing(connect(file)) as database, database:
        database.execute("CREATE TABLE experiments (experiment_id, name, artifact_location)")
        database.execute(
            "INSERT INTO experiments VALUES (1, 'own', 'file:///gone/mlartifacts/own')"
        )
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **how: connect(f"file:{file}?mode=ro", uri=True, **how)
    )
    follow_folder(file)
    assert "readonly database; copy the folder to where you may write" in caplog.text


@pytest.mark.slow
def test_first_page_is_of_trainings_and_ctrl_c_ends_it_without_a_traceback(
    serve: Callable[[], subprocess.Popen], port: int, tmp_path: Path
) -> None:
    server = serve()
    page = requests.get(f"http://127.0.0.1:{port}/", timeout=30)
    assert pages.SCRIPT in page.content
    assert int(page.headers["Content-Length"]) == len(page.content)
    # One that forbids scripts within a page would have to be told of this one.
    assert "Content-Security-Policy" not in page.headers
    os.killpg(server.pid, signal.SIGINT)  # as a terminal does: the server and what started it
    server.wait(60)
    log = (tmp_path / "server.log").read_text()
    assert "Traceback" not in log
    assert "GET /" not in log


def test_server_that_never_answers_blocks_nobody(results: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        began = time.monotonic()
        uri = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        tracker = Tracker.open(
            uri, results, "chapter3", "deaf", params={}, tags={}, spool=tmp_path, patience=1
        )
        tracker.log_metrics(0, {"loss": 1.0})
        assert not tracker.finish(timeout=1)
        assert time.monotonic() - began < 60  # the client itself asks for minutes
    assert tracker.pending


def test_init_is_idempotent(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    marker = json.loads((results / "mlflow.json").read_text())
    again = tmp_path / "again.json"
    assert track_init.main(["--results", str(results), "--out", str(again)]) == 0
    assert json.loads(again.read_text()) == marker
    assert marker["reachable"]
    assert sorted(marker["experiments"]) == [*CHAPTERS, "targets"]
    client = store.connect(marker["uri"])
    location = client.get_experiment_by_name("chapter3").artifact_location
    assert location == (results / "mlartifacts" / "chapter3").as_uri()


def test_init_goes_on_without_its_server(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    marker = track_init.prepare_store("http://user:secret@127.0.0.1:9", tmp_path)
    assert marker == {"uri": "http://user:***@127.0.0.1:9", "experiments": {}, "reachable": False}
    assert "secret" not in caplog.text


def test_pages_need_a_store_and_a_port(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve_ui.main(["--results", str(tmp_path)]) == 1
    assert f"no MLflow store at {tmp_path}/mlflow.db yet" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve_ui.main(["--results", str(results), "--port", str(port)]) == 1
    assert f"port {port} on 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_pages_of_a_server_are_its_own(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://login01:5000")
    assert serve_ui.main(["--results", str(results)]) == 0
    assert "http://login01:5000" in capsys.readouterr().out


def test_addresses_of_experiments_with_runs_ask_for_the_view_of_trainings(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(store.database(tmp_path))) as database, database:
        database.execute("CREATE TABLE experiments (experiment_id, name, lifecycle_stage)")
        database.execute("CREATE TABLE runs (experiment_id)")
        experiments = [
            (0, "Default", "active"), (1, "chapter3", "active"),
            (2, "chapter4", "deleted"), (3, "own", "active"),
        ]  # fmt: skip
        database.executemany("INSERT INTO experiments VALUES (?, ?, ?)", experiments)
        database.executemany("INSERT INTO runs VALUES (?)", [(1,), (1,), (2,), (3,)])
    first, *found = serve_ui.where_to_look(tmp_path, 5001)
    assert first.startswith("MLflow: http://127.0.0.1:5001 ")
    tail = "runs?workflowType=machine_learning"
    assert found == [
        f"  chapter3  http://127.0.0.1:5001/#/experiments/1/{tail}",
        f"  own       http://127.0.0.1:5001/#/experiments/3/{tail}",
    ]
