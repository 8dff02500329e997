"""The sweep stage: trials through Ray Tune, killed and resumed, and what is published."""

from __future__ import annotations

import contextlib
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

from pipelines import sweep
from structnets.files import read_json
from structnets.reporting.sweep_lines import append_sweeps, local_sweeps, read_sweeps
from structnets.specs.sweep import load_sweep, resolve_sweep, trial_specs
from structnets.training.run import run_spec

EPOCHS = 4
STEPS = 4 * EPOCHS
FILES = ["best.json", "figure.csv", "figure.png", "figure.svg", "result.json", "trials.csv"]
ORIGIN = {
    **{"held_out": 6, "data_digest": "d" * 64, "code_digest": "c" * 64},
    **{"hardware": {"class": "cpu"}, "versions": {}, "git": {"sha": "0123abcd", "dirty": False}},
}

# The stage, saving after every step, noting it, and taking a while more for every epoch.
WATCHED = """
import sys
from pipelines import sweep
from pipelines.cluster import trials

def watched(config, **given):
    import time
    from pathlib import Path
    from pipelines.cluster.trials import run_trial
    from structnets.training import loop, reporting
    loop.CHECKPOINT_SECONDS = -1.0
    step, tell = loop.GradientTraining._step, reporting.Progress.epoch

    def noted(self, *given):
        with Path({log!r}).open("a") as file:
            print(config["trial"], self.position.step, file=file)
        return step(self, *given)

    def slow(self, row, epochs):
        tell(self, row, epochs)
        time.sleep({pause})

    loop.GradientTraining._step, reporting.Progress.epoch = noted, slow
    try:
        run_trial(config, **given)
    finally:
        loop.GradientTraining._step, reporting.Progress.epoch = step, tell

trials.run_trial = watched
sys.exit(sweep.main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def resolved() -> dict[str, Any]:
    """Return a sweep of three trials that all run to their end."""
    content = {
        "target": "sweep_made",
        "kind": "sweep",
        "chapter": 3,
        "title": "Orders of a made sweep",
        "caption": "Made up.",
        "model": {"name": "rfnn_mnist", "options": {"kernel_sizes": [3, 3, 3], "scales": 1}},
        "data": {"name": "mnist", "train_size": 30},
        "recipe": {
            "optimizer": {"name": "adadelta", "lr": 5.0},
            "epochs": EPOCHS,
            "batch_size": 6,
            "evaluation": {"split": "validation", "every": 1, "validation_fraction": 0.2},
        },
        "space": [
            {"option": "orders", "choices": [[1, 1, 1], [2, 2, 2], [3, 3, 3]]},
            {"option": "sigmas", "choices": [[1.0, 1.0, 1.0]]},
            {"option": "scales", "choices": [1]},
        ],
        "asha": {"grace_epochs": EPOCHS, "reduction_factor": 2},
        "figure": {"kind": "layers"},
        "presets": {"smoke": {}},
    }
    return resolve_sweep(load_sweep(content, "sweep_made.yaml"), "smoke")


@pytest.fixture
def made_rows(resolved: dict[str, Any]) -> Callable[..., list[dict[str, Any]]]:
    """Return a maker of what became of the trials: one (epochs, accuracy) for each."""

    def make(*outcomes: tuple[int, float | None]) -> list[dict[str, Any]]:
        return [
            {
                "trial": i,
                **resolved["points"][i],
                "epochs": epochs,
                "accuracy": accuracy,
                "stopped_early": 0 < epochs < EPOCHS,
                "error": "" if accuracy is not None else f"trial {i} broke",
                "curve": [(epochs, accuracy)] if accuracy is not None else [],
            }
            for i, (epochs, accuracy) in enumerate(outcomes)
        ]

    return make


def trials_csv(folders: Any, resolved: dict[str, Any]) -> list[dict[str, str]]:
    out = folders.results / "sweeps" / resolved["sweep_id"]
    assert sorted(path.name for path in out.iterdir()) == FILES
    with (out / "trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def command(log: Path, pause: float, resolved: dict[str, Any], folders: Any) -> list[str]:
    script = WATCHED.format(log=str(log), pause=pause)
    return [sys.executable, "-c", script, "--sweep", json.dumps(resolved), *folders.options()]


def steps_in(log: Path) -> list[tuple[int, int]]:
    """Read the (trial, step) pairs that were trained."""
    pairs = (line.split() for line in log.read_text().splitlines()) if log.exists() else ()
    return [(int(trial), int(step)) for trial, step in pairs]


@pytest.fixture(params=[signal.SIGKILL, signal.SIGTERM])
def ended(
    request: pytest.FixtureRequest,
    folders: Any,
    resolved: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> list[tuple[int, int]]:
    """End a sweep of one trial at a time in its second trial; return what was trained."""
    log = tmp_path / "before"
    with monkeypatch.context() as patch:
        patch.setenv("SLURM_CPUS_PER_TASK", "1")
        driver = subprocess.Popen(command(log, 0.5, resolved, folders), start_new_session=True)
    try:
        until = time.monotonic() + 200
        while (1, STEPS // 2) not in steps_in(log):
            assert driver.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        others = psutil.Process(driver.pid).children(recursive=True)
        driver.send_signal(request.param)
        driver.wait(120)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
    assert driver.returncode == (1 if request.param == signal.SIGTERM else -signal.SIGKILL)
    assert psutil.wait_procs(others, 30)[1] == []
    assert not (folders.results / "sweeps").exists()
    return steps_in(log)


@pytest.mark.slow
def test_sweep_goes_on_without_repeating_what_is_done(
    ended: list[tuple[int, int]],
    warm: Any,
    resolved: dict[str, Any],
    logged: Any,
    history: Any,
    tmp_path: Path,
) -> None:
    subprocess.run(command(tmp_path / "after", 0, resolved, warm), check=True)
    trained = steps_in(tmp_path / "after")
    # A step whose checkpoint was not yet written when the trial ended may be taken again.
    assert len(set(ended) & set(trained)) <= 2
    assert set(ended) | set(trained) == {(i, step) for i in range(3) for step in range(STEPS)}
    (line,) = local_sweeps(warm.results).values()
    assert (line["held_out"], line["hardware"]["class"]) == (6, "cpu")
    assert [trial["epochs"] for trial in line["trials"]] == [EPOCHS] * 3
    rows = trials_csv(warm, resolved)
    assert [json.loads(row["orders"]) for row in rows] == [[1, 1, 1], [2, 2, 2], [3, 3, 3]]
    for row, spec in zip(rows, trial_specs(resolved), strict=True):
        place = tmp_path / row["trial"]
        alone = run_spec(spec, warm.prepared / "mnist", place / "out", place / "work")
        assert row["epochs"] == str(EPOCHS)
        assert float(row["accuracy"]) == pytest.approx(alone["metrics"]["accuracy"])
    parent, *children = sorted(logged(warm), key=lambda run: "sweep" in run.data.tags)
    assert parent.data.tags["sweep_id"] == resolved["sweep_id"]
    assert parent.data.tags["target.sweep_made"] == "true"
    assert len(children) == 3
    for child in children:
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        steps = [step for step, _ in history(warm, child.info.run_id, sweep.METRIC)]
        assert steps == list(range(1, EPOCHS + 1))


def test_trials_of_other_data_or_older_code_are_not_told_as_of_these(
    folders: Any,
    resolved: dict[str, Any],
    made_rows: Callable[..., list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of changed data nothing is restored; of changed code what is restored counts as the old."""
    import ray

    places: list[Path] = []
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 1})
    monkeypatch.setattr(sweep, "connected", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(sweep, "search", lambda *given: places.append(given[2]))
    monkeypatch.setattr(sweep, "table_of", lambda *_: made_rows(*[(4, 70.0)] * 3))
    monkeypatch.setattr(sweep, "_track", lambda *_: None)
    manifest = sweep.load_manifest(folders.prepared / "mnist")

    def run(code: str, data: str) -> str:
        monkeypatch.setattr(sweep, "code_digest", lambda _: code)
        monkeypatch.setattr(sweep, "load_manifest", lambda _: {**manifest, "digest": data * 64})
        sweep.sweep(resolved, folders.prepared, folders.results, folders.scratch)
        (line,) = local_sweeps(folders.results).values()
        return str(line["code_digest"])

    assert [run("old", "a"), run("new", "a"), run("new", "b")] == ["old", "old", "new"]
    assert places[0] == places[1] != places[2]


@pytest.mark.parametrize(
    ("outcomes", "best"),
    [
        (((4, 70.0), (4, 80.0), (4, 75.0)), 1),
        (((4, 80.0), (4, 80.0), (4, 75.0)), 0),
        (((4, 70.0), (2, 99.0), (4, 75.0)), 2),
        (((0, None), (4, 60.0), (0, None)), 1),
    ],
)
def test_best_trial_by_hand(
    outcomes: tuple[tuple[int, float | None], ...],
    best: int,
    resolved: dict[str, Any],
    made_rows: Callable[..., list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    """The most accurate of those that ran longest; of equal ones the first."""
    files = sweep.publish(resolved, made_rows(*outcomes), tmp_path, ORIGIN)
    assert sorted(files) == FILES
    found = read_json(tmp_path / "best.json")
    assert found["trial"] == best
    assert found["spec"] == trial_specs(resolved)[best]
    assert found["sweep_id"] == resolved["sweep_id"]


def test_table_of_trials_by_hand(
    resolved: dict[str, Any], made_rows: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    sweep.publish(resolved, made_rows((4, 70.0), (2, 60.0), (0, None)), tmp_path, ORIGIN)
    lines = (tmp_path / "trials.csv").read_text().splitlines()
    assert lines == [
        "trial,orders,sigmas,scales,epochs,accuracy,stopped_early,error",
        '0,"[1, 1, 1]","[1.0, 1.0, 1.0]",1,4,70.0,False,',
        '1,"[2, 2, 2]","[1.0, 1.0, 1.0]",1,2,60.0,True,',
        '2,"[3, 3, 3]","[1.0, 1.0, 1.0]",1,0,,False,trial 2 broke',
    ]


def test_line_of_the_ledger_by_hand(
    resolved: dict[str, Any], made_rows: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    out = tmp_path / "results" / "sweeps" / resolved["sweep_id"]
    sweep.publish(resolved, made_rows((4, 70.0), (2, 60.0), (0, None)), out, ORIGIN)
    lines = local_sweeps(tmp_path / "results")
    append_sweeps(tmp_path, lines.values())
    assert read_sweeps(tmp_path) == lines
    (line,) = lines.values()
    assert (line["commit"], line["held_out"], line["points"]) == ("0123abcd", 6, resolved["points"])
    assert [(t["epochs"], t["accuracy"], t["stopped_early"]) for t in line["trials"]] == [
        (4, 70.0, False), (2, 60.0, True), (0, None, False),
    ]  # fmt: skip


def test_every_trial_failed_is_said_with_the_reason(
    resolved: dict[str, Any], made_rows: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="all 3 trials failed; the first: trial 0 broke"):
        sweep.publish(resolved, made_rows(*[(0, None)] * 3), tmp_path, ORIGIN)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("text", "message"), [("{", "sweep: "), ("absent.json", "absent.json")])
def test_sweep_that_cannot_be_read_is_one_message(
    text: str, message: str, folders: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweep.main(["--sweep", text, *folders.options()]) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert "Traceback" not in printed


def test_missing_data_are_named_before_ray_starts(
    folders: Any,
    resolved: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sweep, "connected", None)
    options = folders.options()
    options[options.index("--prepared") + 1] = str(tmp_path / "absent")
    assert sweep.main(["--sweep", json.dumps(resolved), *options]) == 1
    assert f"{tmp_path}/absent/mnist" in capsys.readouterr().err
