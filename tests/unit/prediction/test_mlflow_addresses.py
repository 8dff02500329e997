"""Nets that are named by MLflow's addresses; MLflow itself is in tests/stages."""

import shutil
import subprocess
from pathlib import Path

import pytest

import structnets
from structnets.prediction import mlflow_addresses

RUN = "runs:/" + "0123456789abcdef" * 2


@pytest.fixture
def calls(monkeypatch, study, tmp_path):
    """Return the calls of MLflow's command, which fetches the weights of a made study."""
    made = []

    def run(words, env, **_):
        made.append((words[words.index("--artifact-uri") + 1], env["MLFLOW_TRACKING_URI"]))
        folder = Path(words[words.index("--dst-path") + 1], "data", "net")
        if "gone" in made[-1][0]:
            said = "WARNING\nMlflowException: no such model at http://me:secret@host/\n"
            return subprocess.CompletedProcess(words, 1, "", said)
        folder.mkdir(parents=True)
        shutil.copy(study.run / "model.pt", folder)
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr(mlflow_addresses.subprocess, "run", run)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return made


def test_the_store_of_the_results_is_asked_unless_another_is_named(calls, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"mlflow\.db is not there; give --results"):
        structnets.load(RUN, results=tmp_path)
    (tmp_path / "mlflow.db").touch()
    assert structnets.load(RUN, results=tmp_path).classes == ("<i>along", "across")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server:5000")
    structnets.load("models:/m-12", results=tmp_path)
    embedded = f"sqlite:///{tmp_path.resolve() / 'mlflow.db'}"
    assert calls == [
        (f"{RUN}/files/model.pt", embedded),
        ("models:/m-12", "http://server:5000"),
    ]


def test_what_mlflow_has_not_is_said_without_a_password(calls, tmp_path):
    (tmp_path / "mlflow.db").touch()
    with pytest.raises(FileNotFoundError, match="no such model at http://host/; MLflow") as told:
        structnets.load("models:/gone/1", results=tmp_path)
    assert "secret" not in str(told.value)


def test_a_password_of_the_store_that_holds_a_slash_is_not_said(calls, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://me:se/cret@host")
    monkeypatch.setattr(
        mlflow_addresses.subprocess,
        "run",
        lambda *_, **__: subprocess.CompletedProcess((), 1, "", "no http://me:se/cret@host"),
    )
    with pytest.raises(FileNotFoundError, match=r"no http://\S*host; MLflow has") as told:
        structnets.load(RUN, results=tmp_path)
    assert "cret" not in str(told.value)


def test_without_mlflow_the_folder_of_the_run_is_asked_for(monkeypatch, tmp_path):
    monkeypatch.setattr(mlflow_addresses, "_PACKAGE", "no_such_package")
    with pytest.raises(ModuleNotFoundError, match="pip install mlflow, or give the folder"):
        structnets.load(RUN, results=tmp_path)
