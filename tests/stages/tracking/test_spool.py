"""The record on disk: exact, append-only, and never in a training's way (no MLflow here)."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipelines.tracking import Spool, lines
from pipelines.tracking.steps import LoggedSteps

WRITER = """
import sys
from pipelines.tracking import Spool
spool = Spool(sys.argv[1])
for step in range(10**9):
    spool.log_metrics(step, {"loss": 1 / (1 + step)})
    if step == 200:
        print("written", flush=True)
"""


def steps_of(spool: Spool) -> list[int]:
    return [line["step"] for _, line in spool.read() if line]


@pytest.mark.parametrize("seed", range(3))
def test_logged_steps_are_a_set(seed: int) -> None:
    rng = np.random.default_rng(seed)
    logged, seen = LoggedSteps(), set()
    for step in rng.integers(0, 50, 200).tolist():
        assert logged.add("loss", step) == (step not in seen)
        seen.add(step)
    assert logged.last("loss") == max(seen)
    assert logged.last("accuracy") is None


def test_flatten_golden() -> None:
    nested = {"model": {"name": "rfnn", "options": {}}, "seed": 0, "clip": None, "sigmas": [1, 2.5]}
    assert lines.flatten(nested) == {
        "model.name": "rfnn",
        "model.options": "{}",
        "seed": "0",
        "clip": "null",
        "sigmas": "[1, 2.5]",
    }


def test_killed_writer_loses_nothing(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        writer.send_signal(signal.SIGKILL)
    spool = Spool(tmp_path)
    steps = steps_of(spool)
    assert len(steps) > 200
    assert steps == list(range(len(steps)))


def test_half_a_line_is_ended_and_skipped(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.log_metrics(0, {"loss": 1.0})
    spool.close()
    with spool.record.open("a") as file:
        file.write('{"do":"metrics","step":1')
    assert steps_of(spool) == [0]
    spool.log_metrics(2, {"loss": 0.5})
    assert steps_of(spool) == [0, 2]
    spool.close()


def test_reading_goes_on_where_it_stopped(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.log_metrics(0, {"loss": 1.0})
    position = next(spool.read())[0]
    spool.log_metrics(1, {"loss": 0.5})
    assert [line["step"] for _, line in spool.read(position)] == [1]
    assert spool.pending()
    spool.save_state("abc", spool.record.stat().st_size)
    assert not spool.pending()
    assert Spool(tmp_path).state()[0] == "abc"
    spool.close()


def test_full_disk_is_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    spool = Spool(tmp_path)
    spool.log_metrics(0, {"loss": 1.0})

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for step in (1, 2):
            spool.log_metrics(step, {"loss": 0.5})
    assert [record.getMessage() for record in caplog.records].count(caplog.messages[0]) == 1
    assert "No space left" in caplog.text
    spool.log_metrics(3, {"loss": 0.2})
    assert steps_of(spool) == [0, 1, 2, 3]
    spool.close()


def test_the_lock_is_for_one(tmp_path: Path) -> None:
    with Spool(tmp_path).lock(0) as first, Spool(tmp_path).lock(0) as second:
        assert first
        assert not second
    with Spool(tmp_path).lock(0) as again:
        assert again


def test_damaged_state_counts_as_nothing_sent(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    assert Spool(tmp_path).state() == (None, 0)


def test_worker_needs_no_mlflow() -> None:
    code = "import sys, pipelines.tracking; print(sorted({'mlflow', 'ray'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("value", [None, "high", [1, 2]])
def test_a_metric_is_a_number(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError, match="'loss' at step 3"):
        Spool(tmp_path).log_metrics(3, {"loss": value})


def test_names_mlflow_would_refuse(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name 'loss%': only letters"):
        Spool(tmp_path).log_metrics(3, {"loss%": 1.0})
    with pytest.raises(ValueError, match=r"name 'recipe\.a=b': only letters"):
        lines.tags_line({"recipe": {"a=b": 1}})
    with pytest.raises(ValueError, match="may not contain '/'"):
        lines.files_line({"a/b": tmp_path}, tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no file"):
        lines.files_line({"b": tmp_path / "b"}, tmp_path)
    with pytest.raises(ValueError, match="status is 'DONE'; allowed: FINISHED"):
        lines.finish_line("DONE")


def test_nan_survives_the_record(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.log_metrics(0, {"loss": float("nan")})
    (_, line), *_ = spool.read()
    assert np.isnan(line["values"]["loss"])
    assert json.loads(spool.record.read_text())["step"] == 0
    spool.close()
