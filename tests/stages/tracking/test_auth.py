"""MLflow's server asking for a password: the environment has it, and nothing shows it."""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.tracking.health import trouble

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("flask_wtf") is None,
        reason="the server's side of it is not installed: pip install 'mlflow[auth]'",
    ),
]
USER = "trainer"


@pytest.fixture
def password() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def server(tmp_path: Path, password: str, port: int) -> Iterator[str]:
    """Start a server that asks for a password; returns its address."""
    settings = f"default_permission=NO_PERMISSIONS\ndatabase_uri=sqlite:///{tmp_path}/auth.db\n"
    (tmp_path / "auth.ini").write_text(f"[mlflow]\n{settings}")
    command = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth"]
    command += ["--port", str(port), "--workers", "1"]
    given = {
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path}/server.db",
        "MLFLOW_ARTIFACTS_DESTINATION": str(tmp_path / "artifacts"),
        "MLFLOW_AUTH_CONFIG_PATH": str(tmp_path / "auth.ini"),
        "MLFLOW_AUTH_ADMIN_USERNAME": USER,
        "MLFLOW_AUTH_ADMIN_PASSWORD": password,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets.token_hex(16),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(command, env=os.environ | given, stdout=log, stderr=log)
    uri = f"http://127.0.0.1:{port}"
    try:
        _until_healthy(process, uri, tmp_path / "server.log")
        yield uri
    finally:
        for one in [*psutil.Process(process.pid).children(recursive=True), process]:
            one.kill()
        process.wait()


def _until_healthy(process: subprocess.Popen[bytes], uri: str, log: Path) -> None:
    until = time.monotonic() + 200
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, log.read_text()
        try:
            urllib.request.urlopen(f"{uri}/health", timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return


def _train(words: list[str]) -> tuple[int, str, set[str]]:
    """Run the train stage; return its exit code, its output, and all words ``ps`` showed."""
    shown: set[str] = set()
    stage = subprocess.Popen(
        [sys.executable, "-m", "pipelines.train", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while stage.poll() is None:
        for process in psutil.process_iter(["cmdline"]):
            shown.update(process.info["cmdline"] or ())
        time.sleep(0.2)
    assert stage.stdout is not None
    with stage.stdout:
        return stage.returncode, stage.stdout.read(), shown


def test_credentials_of_the_environment_suffice_and_are_seen_nowhere(
    server: str,
    password: str,
    folders: Any,
    make_spec: Callable[..., dict[str, Any]],
    logged: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "set MLFLOW_TRACKING_USERNAME and _PASSWORD" in str(trouble(server))
    for name, value in (("URI", server), ("USERNAME", USER), ("PASSWORD", password)):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
    assert trouble(server) is None
    spec = make_spec(epochs=3)
    code, text, shown = _train(["--spec", json.dumps(spec), *folders.options()])
    assert code == 0, text
    (run,) = logged(folders)
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "0"
    assert not any(password in word for word in shown)
    assert password not in text + (tmp_path / "server.log").read_text() + str(run.to_dictionary())
    roots = (folders.results, folders.scratch, Path(os.environ["STRUCTNETS_TMP"]))
    files = [path for root in roots for path in root.rglob("*") if path.is_file()]
    assert [path for path in files if password.encode() in path.read_bytes()] == []
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD")
    assert "HTTP 401" in str(trouble(server))
