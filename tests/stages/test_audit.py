"""The audit finds one changed byte and one deleted artifact, and says which and where."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipelines.audit import audit, command
from pipelines.tracking import Tracker, log_sweep, log_target, store

RUN = "rfnn_mnist-mnist-n300-s0-0a1b2c3d"
FILES = ("result.json", "model.pt", "curves.csv", "spec.json")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a root with a run, a rendering and a sweep, all logged."""
    root = tmp_path_factory.mktemp("root")
    results, scratch = root / "results", root / "scratch"
    folder, table = results / "runs" / RUN, results / "tables" / "figure6.csv"
    best = results / "sweeps" / "sweep_rfnn_basis" / "best.json"
    for path in (*(folder / name for name in FILES), table, best):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {path.name}")
    uri = f"sqlite:///{results}/mlflow.db"
    tracker = Tracker.open(
        uri, results, "chapter3", RUN, params={}, tags={}, spool=scratch / "runs", patience=200
    )
    tracker.log_artifacts({name: folder / name for name in FILES})
    assert tracker.finish()
    assert log_target(
        uri, results, "figure6", preset="small", files={table.name: table}, run_ids=[RUN],
        spool=scratch / "targets",
    )  # fmt: skip
    assert log_sweep(
        uri, results, "chapter3", "sweep_rfnn_basis", params={}, trials=[],
        files={best.name: best}, spool=scratch / "sweeps",
    )  # fmt: skip
    return root


@pytest.fixture
def results(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the results where they were made; files are put back as they were afterwards."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, kept = original / "results", tmp_path / "kept"
    shutil.copytree(folder, kept)
    yield folder
    (kept / "mlflow.db").unlink()  # connections to it are open: the file itself must stay
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
    shutil.copytree(kept, folder, dirs_exist_ok=True)


def stored_file(results: Path, name: str) -> Path:
    (found,) = (results / "mlartifacts").rglob(f"files/{name}")
    return found


def findings(results: Path) -> list[tuple[str, str, str]]:
    report = audit(None, results, None)
    missing = [(i["run"], i["artifact"], "not in " + i["missing_from"]) for i in report["missing"]]
    changed = [(i["run"], i["artifact"], "on " + i["changed"]) for i in report["differing"]]
    return missing + changed


def test_nothing_to_find(results: Path) -> None:
    report = audit(None, results, None)
    assert report == {"checked": 6, "missing": [], "differing": [], "elsewhere": []}


def test_one_byte_changed_on_disk(results: Path) -> None:
    file = results / "runs" / RUN / "model.pt"
    content = bytearray(file.read_bytes())
    content[3] ^= 1
    file.write_bytes(content)
    assert findings(results) == [(RUN, "model.pt", "on disk")]


def test_one_byte_changed_in_mlflow(results: Path) -> None:
    stored_file(results, "curves.csv").write_text("other")
    assert findings(results) == [(RUN, "curves.csv", "on mlflow")]


def test_artifact_deleted_in_mlflow(results: Path) -> None:
    stored_file(results, "result.json").unlink()
    stored_file(results, "best.json").unlink()
    assert sorted(findings(results)) == [
        (RUN, "result.json", "not in mlflow"),
        ("sweep_rfnn_basis", "best.json", "not in mlflow"),
    ]


def test_run_deleted_in_mlflow(results: Path) -> None:
    client = store.connect(store.resolve_uri(None, results))
    (rendering,) = store.all_runs(client, ["targets"])
    client.delete_run(rendering.info.run_id)
    found = findings(results)
    client.restore_run(rendering.info.run_id)
    assert found == [("figure6", "figure6.csv", "not in mlflow")]


def test_files_gone_from_disk(results: Path) -> None:
    shutil.rmtree(results / "runs" / RUN)
    (results / "tables" / "figure6.csv").unlink()
    found = findings(results)
    assert sorted(found) == sorted(
        [(RUN, name, "not in disk") for name in FILES]
        + [("figure6-small", "figure6.csv", "not in disk")]
    )


def test_artifact_never_logged(results: Path) -> None:
    file = results / "figures" / "figure6.svg"
    file.parent.mkdir()
    file.write_text("<svg/>")
    (file.parent / ".figure6.png.part").write_text("half")
    assert findings(results) == [("figure6", "figure6.svg", "not in mlflow")]


def test_report_of_a_study_never_logged(results: Path) -> None:
    study = results / "studies" / "mine"
    (study / "jobs").mkdir(parents=True)
    for path in (study / "report.html", study / "names.csv", study / "jobs" / "train_mine_1"):
        path.touch()
    assert findings(results) == [("mine", "report.html", "not in mlflow")]


def test_made_elsewhere_is_apart(results: Path, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    (ledger / "chapter3.jsonl").write_text(f'{{"run_id":"{RUN}"}}\n{{"run_id":"cnn_b-s1"}}\n')
    report = audit(None, results, ledger)
    assert report["elsewhere"] == [{"run": "cnn_b-s1", "known_from": "ledger"}]
    assert not report["missing"]


def test_ledger_that_is_none(results: Path, tmp_path: Path) -> None:
    (tmp_path / "chapter3.jsonl").write_text("{}\nrun\n")
    with pytest.raises(ValueError, match=r"chapter3.jsonl, line 1: not a ledger line"):
        audit(None, results, tmp_path)


def test_command_prints_one_document(results: Path) -> None:
    line = [sys.executable, "-m", "pipelines.audit", "--results", str(results), "--json"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert json.loads(done.stdout)["checked"] == 6
    assert not done.stderr


def test_command_says_which(results: Path, tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command)
    stored_file(results, "model.pt").unlink()
    found = CliRunner().invoke(app, ["--results", str(results)])
    assert found.exit_code == 1
    assert f"missing from mlflow: model.pt of {RUN}" in found.stdout
    assert "flush --again" in found.stderr
    none = CliRunner().invoke(app, ["--results", str(tmp_path / "none"), "--json"])
    assert none.exit_code == 2
    assert "there is no such folder" in json.loads(none.stdout)["error"]
    away = CliRunner().invoke(app, ["--results", str(results), "--uri", "http://127.0.0.1:9"])
    assert away.exit_code == 2
    assert "error: MLflow at http://127.0.0.1:9" in away.stderr
