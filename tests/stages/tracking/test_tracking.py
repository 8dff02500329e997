"""One MLflow run per run id, each step once: against a real SQLite store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipelines.tracking import (
    Spool,
    Tracker,
    Trial,
    artifacts,
    log_sweep,
    log_target,
    store,
    views,
)
from pipelines.tracking.__main__ import flush_all, main
from pipelines.tracking.places import results_name

RUN = "rfnn_mnist-mnist-n300-s0-0a1b2c3d"
PARAMS = {"seed": 0, "recipe": {"optimizer": {"lr": 5.0}}}

RACER = """
import sys
from pipelines.tracking import Tracker
results, run_id, spool = sys.argv[1:]
tracker = Tracker.open(None, results, "chapter3", run_id, params={}, tags={}, spool=spool,
                       patience=240)
print(tracker.mlflow_run_id)
"""


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    store.create_schema(f"sqlite:///{file}")
    return file


@pytest.fixture
def results(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "results"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture
def start(results: Path, tmp_path: Path) -> Callable[..., Tracker]:
    """Open the tracker of RUN as the driver of an attempt does."""

    def begin(spool: Path = tmp_path / "spool", **tags: Any) -> Tracker:
        return Tracker.open(
            None, results, "chapter3", RUN, params=PARAMS, tags=tags, spool=spool, patience=200
        )

    return begin


def mlflow_of(results: Path) -> Any:
    return store.connect(store.resolve_uri(None, results))


def history(results: Path, tracker: Tracker, name: str = "loss") -> list[tuple[int, float]]:
    found = mlflow_of(results).get_metric_history(tracker.mlflow_run_id, name)
    return sorted((metric.step, metric.value) for metric in found)


def runs_in(results: Path, experiment: str) -> list[Any]:
    return list(store.all_runs(mlflow_of(results), [experiment]))


def test_reopening_is_the_same_run(results: Path, start: Callable[..., Tracker]) -> None:
    first = start(attempts=1)
    assert first.finish("FAILED")
    second = start(attempts=2, **{"target.figure6": True})
    run = mlflow_of(results).get_run(second.mlflow_run_id)
    assert second.mlflow_run_id == first.mlflow_run_id
    assert run.info.status == "RUNNING"
    assert run.info.run_name == RUN
    assert run.data.params == {"seed": "0", "recipe.optimizer.lr": "5.0"}
    assert run.data.tags["attempts"] == "2"
    assert run.data.tags["target.figure6"] == "true"
    assert second.finish()
    assert [run.info.status for run in runs_in(results, "chapter3")] == ["FINISHED"]


def test_resumed_steps_are_logged_once(results: Path, start: Callable[..., Tracker]) -> None:
    first = start()
    for step in range(50):
        first.log_metrics(step, {"loss": float(step), "lr": 1.0})
    assert first.flush()
    first.log_metrics(50, {"loss": 50.0})  # recorded, and sent by the next attempt
    second = start()
    for step in range(30, 80):
        second.log_metrics(step, {"loss": float(step)})
    assert second.finish()
    assert history(results, second) == [(step, float(step)) for step in range(80)]
    assert not second.pending


def test_mlflow_may_know_more_than_the_record(
    results: Path, start: Callable[..., Tracker], tmp_path: Path
) -> None:
    first = start()
    for step in range(20):
        first.log_metrics(step, {"loss": float(step)})
    assert first.flush()
    # Killed after MLflow confirmed and before the record says so, then resumed elsewhere.
    first.spool.save_state(first.mlflow_run_id, 0)
    for spool in (tmp_path / "spool", tmp_path / "another machine"):
        resumed = start(spool)
        for step in range(10, 30):
            resumed.log_metrics(step, {"loss": float(step)})
        assert resumed.finish()
        assert resumed.mlflow_run_id == first.mlflow_run_id
    assert history(results, resumed) == [(step, float(step)) for step in range(30)]


def test_deleted_run_is_made_anew_and_whole(results: Path, start: Callable[..., Tracker]) -> None:
    tracker = start()
    tracker.log_metrics(0, {"loss": 0.0})
    assert tracker.flush()
    deleted = tracker.mlflow_run_id
    mlflow_of(results).delete_run(deleted)
    tracker.log_metrics(1, {"loss": 1.0})
    assert tracker.finish()
    assert tracker.mlflow_run_id != deleted
    assert history(results, tracker) == [(0, 0.0), (1, 1.0)]


def test_refused_metric_holds_nothing_up(results: Path, start: Callable[..., Tracker]) -> None:
    tracker = start()
    tracker.log_metrics(0, {"loss": float("nan"), "a/../b": 1.0, "lr": 0.5})
    assert tracker.finish()
    assert history(results, tracker, "lr") == [(0, 0.5)]
    assert len(history(results, tracker)) == 1
    assert "a/../b" in (tracker.spool.directory / "rejected.jsonl").read_text()


@pytest.mark.slow
def test_two_processes_racing_make_one_run(tmp_path: Path) -> None:
    results = tmp_path / "fresh"  # not even the schema is there
    command = [sys.executable, "-c", RACER, str(results), RUN, str(tmp_path / "spool")]
    quiet = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    racers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=quiet) for _ in range(2)
    ]
    said = {racer.communicate(timeout=300)[0].strip() for racer in racers}
    assert said == {run.info.run_id for run in runs_in(results, "chapter3")}
    assert len(said) == 1


def test_processes_that_begin_together_agree_on_the_name_of_the_results(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(20):
            folder = tmp_path / str(number)
            folder.mkdir()
            together = threading.Barrier(8)
            names = {*pool.map(lambda _: (together.wait(), results_name(folder))[1], range(8))}  # noqa: B023
            assert names == {(folder / ".results-id").read_text().strip()}
            assert [path.name for path in folder.iterdir()] == [".results-id"]


def test_artifacts_small_and_large(
    results: Path, start: Callable[..., Tracker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "SMALL", 10)
    folder = results / "runs" / RUN
    folder.mkdir(parents=True)
    (folder / "result.json").write_text("{}")
    (folder / "model.pt").write_bytes(bytes(11))
    tracker = start()
    tracker.log_artifacts({"result.json": folder / "result.json"})
    assert tracker.flush()
    tracker.log_artifacts({"model.pt": folder / "model.pt"})
    assert tracker.finish()
    client, mlflow_run_id = mlflow_of(results), str(tracker.mlflow_run_id)
    recorded = artifacts.recorded(client, mlflow_run_id)
    assert recorded is not None
    assert {name: entry["stored"] for name, entry in recorded.items()} == {
        "result.json": "bytes",
        "model.pt": "manifest",
    }
    assert recorded["model.pt"]["path"] == f"runs/{RUN}/model.pt"
    assert artifacts.stored_checksums(client, mlflow_run_id) == {
        "result.json": recorded["result.json"]["sha256"]
    }


def test_target_is_one_run_per_preset_with_links(
    results: Path, start: Callable[..., Tracker], tmp_path: Path
) -> None:
    training = start()
    assert training.finish()
    table = results / "tables" / "figure6.csv"
    table.parent.mkdir()
    for content in ("old", "new"):
        table.write_text(content)
        spool = tmp_path / "targets" / "figure6-small" / "spool"
        assert log_target(
            None, results, "figure6", preset="small", files={"figure6.csv": table},
            run_ids=[RUN, "made-elsewhere"], spool=spool, tags={"rows": 3}, note="A figure.",
            metrics={"rfnn/n300": 96.0 if content == "new" else 90.0},
        )  # fmt: skip
    (rendering,) = runs_in(results, "targets")
    client = mlflow_of(results)
    path = client.download_artifacts(rendering.info.run_id, "files/figure6.csv", str(tmp_path))
    assert Path(path).read_text() == "new"
    assert f"runs/{training.mlflow_run_id}" in rendering.data.tags["mlflow.note.content"]
    assert rendering.data.tags["mlflow.note.content"].startswith("A figure.")
    assert "made-elsewhere (" in rendering.data.tags["mlflow.note.content"]
    assert rendering.data.tags["mlflow_run_ids"] == training.mlflow_run_id
    assert client.get_run(training.mlflow_run_id).data.tags["target.figure6"] == "true"


def test_sweep_is_a_parent_with_its_trials(results: Path, tmp_path: Path) -> None:
    table = results / "trials.csv"
    table.write_text("trial\n")
    for epochs in (2, 3):  # the second time as after a resumed sweep
        trials = [
            Trial(
                f"t{order}",
                {"order": order},
                [(e, {"loss": 1.0 + order}, 6000 + 1000 * e) for e in range(epochs)],
                begun=5000 - order,
            )
            for order in range(2)
        ]
        assert log_sweep(
            None, results, "chapter3", "sweep_rfnn_basis-01", params={"model": {"name": "rfnn"}},
            trials=trials, files={"trials.csv": table}, spool=tmp_path / "spool",
            best=trials[0], note="What was found.", metric="loss",
        )  # fmt: skip
    runs = runs_in(results, "chapter3")
    (parent,) = [run for run in runs if "sweep_id" in run.data.tags]
    children = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert {(run.data.params["order"], run.data.params["model.name"]) for run in children} == {
        ("0", "rfnn"),
        ("1", "rfnn"),
    }
    tags = mlflow_of(results).get_experiment(parent.info.experiment_id).tags
    view = json.loads(tags[f"{views.PREFIX}trials-sweep_rfnn_basis-01"])
    state = json.loads(view["state"])
    assert state["searchFilter"] == "tags.sweep = 'sweep_rfnn_basis-01'"
    assert state["compareRunCharts"][0]["selectedParams"] == ["order"]
    assert state["compareRunCharts"][0]["selectedMetrics"] == ["loss"]
    # True times, and the best trial's parameters and metric with the parent.
    assert {run.info.start_time for run in children} == {5000, 4999}
    assert {run.info.end_time for run in children} == {8000}
    assert parent.info.start_time == 4999
    assert (parent.data.params["order"], parent.data.metrics["loss"]) == ("0", 1.0)
    assert parent.data.tags["mlflow.note.content"] == "What was found."
    for run in children:
        found = mlflow_of(results).get_metric_history(run.info.run_id, "loss")
        assert [metric.step for metric in found] == [0, 1, 2]


def test_server_away_waits_on_disk_and_is_flushed(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = results / "figure6.csv"
    table.write_text("n\n")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")  # nobody listens
    began = time.monotonic()
    tracker = Tracker.open(
        None, results, "chapter3", RUN, params=PARAMS, tags={}, spool=tmp_path / "runs" / "spool"
    )
    Spool(tracker.spool.directory).log_metrics(3, {"loss": 0.5})
    assert not tracker.finish(timeout=5)
    assert tracker.mlflow_run_id is None
    assert not log_target(
        None, results, "figure6", preset="small", files={"figure6.csv": table}, run_ids=[RUN],
        spool=tmp_path / "targets" / "spool",
    )  # fmt: skip
    assert time.monotonic() - began < 60  # the client itself asks for minutes
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert flush_all(None, results, tmp_path) == (2, [])
    assert history(results, tracker) == [(3, 0.5)]
    assert flush_all(None, results, tmp_path) == (0, [])


def test_flush_again_fills_a_lost_store(
    results: Path, start: Callable[..., Tracker], empty_store: Path, tmp_path: Path
) -> None:
    tracker = start()
    tracker.log_metrics(3, {"loss": 0.5})
    assert tracker.finish()
    assert main(["flush", "--results", str(results), "--scratch", str(tmp_path), "--again"]) == 0
    assert history(results, tracker) == [(3, 0.5)]
    lost = tmp_path / "lost"
    lost.mkdir()
    shutil.copy(empty_store, lost / "mlflow.db")
    assert main(["flush", "--results", str(lost), "--scratch", str(tmp_path), "--again"]) == 0
    assert history(lost, tracker) == [(3, 0.5)]
