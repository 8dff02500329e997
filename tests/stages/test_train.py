"""The train stage: through Ray, tracked in MLflow, killed and resumed, and its refusals."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from pipelines import train
from pipelines.cluster.training_worker import SpoolReporter
from pipelines.tracking import Spool
from structnets.files import read_json, write_json
from structnets.identity import run_id
from structnets.training.run import run_spec
from structnets.training.run_files import ARTIFACTS

MakeSpec = Callable[..., dict[str, Any]]


def call(spec: dict[str, Any], folders: Any, *more: str) -> int:
    return train.main(["--spec", json.dumps(spec), *folders.options(), *more])


def curve(out: Path) -> list[dict[str, str]]:
    with (out / "curves.csv").open(newline="") as file:
        return [
            {k: v for k, v in row.items() if k != "images_per_s"} for row in csv.DictReader(file)
        ]


def same_weights(*folders: Path) -> bool:
    """Say whether two runs ended with the same weights, to the bit."""
    ours, theirs = (
        torch.load(folder / "model.pt", weights_only=True)["state_dict"] for folder in folders
    )
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in theirs)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it an error that the stage starts Ray."""

    def refuse(*_: Any) -> None:
        raise AssertionError("Ray was started")

    monkeypatch.setattr(train, "connected", refuse)


@pytest.mark.slow
def test_several_runs_of_two_workers_end_to_end(
    warm: Any, make_spec: MakeSpec, logged: Any, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [make_spec(), make_spec(seed=1)]
    words = [word for spec in runs for word in ("--spec", json.dumps(spec))]
    uses = (("figure6", "table1"), ("figure6",))
    words += [word for names in uses for word in ("--targets", ",".join(names))]
    options = ["--workers", "2", *warm.options()]
    # In a process of its own, as in life: Ray is not made to be left and joined again.
    subprocess.run([sys.executable, "-m", "pipelines.train", *words, *options], check=True)
    tracked = {run.data.tags["run_id"]: run for run in logged(warm)}
    assert tracked.keys() == {run_id(spec) for spec in runs}
    for spec, names in zip(runs, uses, strict=True):
        out, run = warm.results / "runs" / run_id(spec), tracked[run_id(spec)]
        result = read_json(out / "result.json")
        assert sorted(path.name for path in out.iterdir()) == sorted(ARTIFACTS)
        assert result["hardware"]["world_size"] == 2
        assert result["attempts"] == 1
        # So short a run may end before MLflow has answered.
        assert result["mlflow_run_id"] in (None, run.info.run_id)
        assert run.info.status == "FINISHED"
        tags = run.data.tags
        assert {tag for tag in tags if tag.startswith("target.")} == {f"target.{n}" for n in names}
        assert tags["attempts"] == "1"
        assert run.data.metrics["accuracy"] == result["metrics"]["accuracy"]
        assert run.info.end_time - run.info.start_time < 1000 * (result["wall_s"] + 5)
        assert {one.dataset.name for one in run.inputs.dataset_inputs} == {"mnist-n20", "mnist"}
        assert len(run.outputs.model_outputs) == 1
        assert [step for step, _ in history(warm, run.info.run_id, "train_loss")] == [4, 8, 12]
    monkeypatch.setattr(train, "connected", None)
    assert train.main([*words, *options]) == 0
    assert len(logged(warm)) == 2


def test_targets_must_be_given_for_every_run(
    folders: Any, make_spec: MakeSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for seed in (0, 1) for word in ("--spec", json.dumps(make_spec(seed=seed)))]
    assert train.main([*words, "--targets", "figure6", *folders.options()]) == 1
    assert "--targets must be given 2 times or never" in capsys.readouterr().err


@pytest.fixture
def killed(folders: Any, make_spec: MakeSpec, tmp_path: Path) -> tuple[dict[str, Any], str]:
    """Kill a training with its private cluster in the middle; return its spec and MLflow id."""
    spec = make_spec(epochs=12)
    spool = Spool(folders.scratch / "runs" / run_id(spec) / "spool")
    command = [
        sys.executable,
        "-m",
        "tests.slow_train",
        "--spec",
        json.dumps(spec),
        *folders.options(),
    ]
    driver = subprocess.Popen(command, start_new_session=True)
    try:
        until = time.monotonic() + 200
        while not spool.state()[0] or sum(line["do"] == "metrics" for _, line in spool.read()) < 4:
            assert driver.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        others = psutil.Process(driver.pid).children(recursive=True)
    finally:
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    assert psutil.wait_procs(others, 30)[1] == []
    assert not (folders.results / "runs").exists()
    mlflow_run_id = spool.state()[0]
    assert mlflow_run_id is not None
    return spec, mlflow_run_id


@pytest.mark.slow
def test_killed_training_goes_on_as_if_nothing_had_happened(
    killed: Any, warm: Any, logged: Any, history: Any, tmp_path: Path
) -> None:
    spec, mlflow_run_id = killed
    words = ["--spec", json.dumps(spec), *warm.options()]
    subprocess.run([sys.executable, "-m", "pipelines.train", *words], check=True)
    out, alone = warm.results / "runs" / run_id(spec), tmp_path / "alone"
    expected = run_spec(spec, warm.prepared / "mnist", alone, tmp_path / "work")
    result = read_json(out / "result.json")
    assert result["attempts"] == 2
    assert result["metrics"] == expected["metrics"]
    assert result["confusion"] == expected["confusion"]
    assert curve(out) == curve(alone)
    assert same_weights(out, alone)
    assert [run.info.run_id for run in logged(warm)] == [mlflow_run_id] == [result["mlflow_run_id"]]
    logged_loss = history(warm, mlflow_run_id, "train_loss")
    assert logged_loss == [(int(float(r["step"])), float(r["train_loss"])) for r in curve(out)]
    assert logged(warm)[0].info.status == "FINISHED"


@pytest.mark.usefixtures("without_ray")
def test_published_run_is_not_touched(folders: Any, make_spec: MakeSpec, logged: Any) -> None:
    spec = make_spec(epochs=1)
    out = folders.results / "runs" / run_id(spec)
    run_spec(spec, folders.prepared / "mnist", out, folders.scratch / "x")
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert call(spec, folders) == 0
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    assert logged(folders) == []


@pytest.mark.usefixtures("without_ray")
def test_training_in_process_is_the_same(
    folders: Any, make_spec: MakeSpec, logged: Any, tmp_path: Path
) -> None:
    spec = make_spec()
    assert call(spec, folders, "--in-process") == 0
    alone = run_spec(spec, folders.prepared / "mnist", tmp_path / "alone", tmp_path / "work")
    out = folders.results / "runs" / run_id(spec)
    result = read_json(out / "result.json")
    assert result["metrics"] == alone["metrics"]
    assert curve(out) == curve(tmp_path / "alone")
    assert same_weights(out, tmp_path / "alone")
    (run,) = logged(folders)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] == result["metrics"]["accuracy"]


@pytest.mark.usefixtures("without_ray")
@pytest.mark.parametrize("more", [("--workers", "2"), ("--gpus-per-worker", "1")])
def test_several_processes_are_never_in_process(
    more: tuple[str, ...], folders: Any, make_spec: MakeSpec
) -> None:
    with pytest.raises(AssertionError, match="Ray was started"):
        call(make_spec(), folders, "--in-process", *more)


def test_every_row_is_recorded_also_those_of_an_earlier_attempt(tmp_path: Path) -> None:
    rows = [{"epoch": float(e), "step": 4.0 * e, "train_loss": 1 / e} for e in (1, 2, 3)]
    spool = Spool(tmp_path / "spool")
    reporter = SpoolReporter("a run", spool, lambda: False)
    reporter.resumed(rows[:2])
    reporter.epoch(rows[2], 3)
    found = [(line["step"], line["values"]) for _, line in spool.read()]
    assert found == [(int(r["step"]), {k: r[k] for k in ("epoch", "train_loss")}) for r in rows]


def test_spec_may_be_text_or_file(tmp_path: Path, make_spec: MakeSpec) -> None:
    spec = make_spec()
    write_json(tmp_path / "spec.json", spec)
    assert train.read_spec(str(tmp_path / "spec.json")) == spec
    assert train.read_spec(f"  {json.dumps(spec)}") == spec


@pytest.mark.usefixtures("without_ray")
@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("recipe.epoch", 3, "recipe.gradient.epoch: unknown key; allowed here: kind, optimizer"),
        ("models", {}, "models: unknown key; allowed here: chapter, preset, model, data"),
        ("model.options.kernel", 3, "allowed: num_classes, image_size, kernel_sizes"),
        ("data.train_size", 70_000, "70000 exceeds the 60000 training images"),
        ("recipe.optimizer.name", "rmsprop", "'adadelta', 'sgd', 'adam'"),
    ],
)
def test_spec_that_is_wrong_ends_with_the_reason(
    path: str,
    value: Any,
    message: str,
    folders: Any,
    make_spec: MakeSpec,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = make_spec()
    *parents, last = path.split(".")
    place = spec
    for key in parents:
        place = place[key]
    place[last] = value
    assert call(spec, folders) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("train: spec is not valid:")
    assert message in printed
    assert not folders.scratch.exists()


@pytest.mark.usefixtures("without_ray")
def test_edited_spec_under_an_existing_run_is_refused(
    folders: Any, make_spec: MakeSpec, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, work = make_spec(), folders.scratch / "runs" / run_id(make_spec())
    write_json(work / "spec.json", make_spec(epochs=4))
    assert call(spec, folders) == 1
    printed = capsys.readouterr().err
    assert f"train: {work} holds a run of another spec" in printed


@pytest.mark.usefixtures("without_ray")
def test_missing_data_are_named(
    folders: Any, make_spec: MakeSpec, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    options = folders.options()
    options[options.index("--prepared") + 1] = str(tmp_path / "absent")
    assert train.main(["--spec", json.dumps(make_spec()), *options]) == 1
    assert f"{tmp_path}/absent/mnist" in capsys.readouterr().err


@pytest.mark.usefixtures("without_ray")
@pytest.mark.parametrize(("text", "message"), [("{", "train: "), ("absent.json", "absent.json")])
def test_spec_that_cannot_be_read_is_one_message(
    text: str, message: str, folders: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train.main(["--spec", text, *folders.options()]) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed
