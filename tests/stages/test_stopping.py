"""A training that is stopped, or started twice: nothing is lost, and nothing done twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipelines.tracking import Spool
from structnets.files import read_json
from structnets.identity import run_id

pytestmark = pytest.mark.slow
Start = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def spec(make_spec: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    return make_spec(epochs=12)


@pytest.fixture
def start(warm: Any, spec: dict[str, Any]) -> Iterator[Start]:
    """Return a starter of slow trainings of one spec."""
    running: list[subprocess.Popen[str]] = []
    words = ["--spec", json.dumps(spec), *warm.options()]

    def begin() -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.slow_train", *words]
        running.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield begin
    for process in running:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


@pytest.fixture
def epochs(warm: Any, spec: dict[str, Any]) -> Callable[[int], None]:
    """Return a wait for so many epochs."""
    spool = Spool(warm.scratch / "runs" / run_id(spec) / "spool")

    def wait(count: int) -> None:
        until = time.monotonic() + 200
        while sum(line["do"] == "metrics" for _, line in spool.read()) < count:
            assert time.monotonic() < until
            time.sleep(0.1)

    return wait


def result_of(folders: Any, spec: dict[str, Any]) -> dict[str, Any]:
    return read_json(folders.results / "runs" / run_id(spec) / "result.json")


def test_signal_stops_after_saving(
    warm: Any, spec: dict[str, Any], start: Start, epochs: Any, history: Any
) -> None:
    first = start()
    epochs(3)
    first.send_signal(signal.SIGTERM)
    text = first.communicate()[1]
    assert first.returncode == 1, text
    assert "stopped on request; the state is saved: run it again to go on" in text
    saved = sorted((warm.scratch / "runs" / run_id(spec) / "checkpoints").iterdir())
    assert list((warm.scratch / "ray").glob("stop-*")) == []
    second = start()
    text = second.communicate()[1]
    assert second.returncode == 0, text
    result = result_of(warm, spec)
    assert result["attempts"] == 2
    # No step was computed twice: the second attempt began where the first ended.
    epoch = int(saved[-1].stem.partition("-")[2]) // 4
    assert f"resumed after epoch {epoch}" in text
    steps = [step for step, _ in history(warm, result["mlflow_run_id"], "train_loss")]
    assert steps == [4 * (epoch + 1) for epoch in range(12)]


def test_second_of_two_waits_for_the_first(
    warm: Any, spec: dict[str, Any], start: Start, epochs: Any
) -> None:
    first = start()
    epochs(1)
    second = start()
    assert first.wait(200) == 0
    text = second.communicate()[1]
    assert second.returncode == 0
    assert "waiting for another job that holds" in text
    assert result_of(warm, spec)["attempts"] == 1


def test_second_of_two_takes_over_when_the_first_dies(
    warm: Any, spec: dict[str, Any], start: Start, epochs: Any
) -> None:
    first = start()
    epochs(2)
    second = start()
    epochs(4)
    first.kill()
    assert second.wait(200) == 0
    assert result_of(warm, spec)["attempts"] == 2
