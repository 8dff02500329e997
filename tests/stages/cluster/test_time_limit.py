"""Stopping in time: when Slurm ends the job, at a signal, and what is said of it."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.cluster import time_limit
from pipelines.cluster.time_limit import (
    OutOfTimeError,
    StopRequest,
    job_deadline,
    queue_again,
    stoppable,
)
from structnets.training.reporting import StoppedError

JOB = "JobId=7 JobName=x StartTime={start} EndTime={end} TimeLimit={limit} NodeList=n1"


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a setter of what ``scontrol`` does; its arguments go into the file returned."""
    folder, words = tmp_path / "bin", tmp_path / "words"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "7")

    def answer(line: str) -> Path:
        program = folder / "scontrol"
        program.write_text(f'#!/bin/sh\necho "$@" > {words}\n{line}\n')
        program.chmod(0o755)
        return words

    return answer


def local(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


@pytest.mark.parametrize(("minutes", "grace"), [(720, 120), (5, 60), (2, 24)])
def test_deadline_is_a_grace_time_before_the_limit(
    scontrol: Callable[[str], Path], minutes: int, grace: float
) -> None:
    start = 1_800_000_000
    job = JOB.format(start=local(start), end=local(start + 60 * minutes), limit="x")
    scontrol(f"echo '{job}'")
    assert job_deadline() == start + 60 * minutes - grace


@pytest.mark.parametrize(
    "line",
    [
        "echo '" + JOB.format(start="2026-11-22T10:00:00", end="Unknown", limit="UNLIMITED") + "'",
        "echo '"
        + JOB.format(start="2026-11-22T10:00:00", end="2027-11-22T10:00:00", limit="UNLIMITED")
        + "'",
        "echo 'Invalid job id' >&2; exit 1",
    ],
)
def test_no_limit_no_deadline(scontrol: Callable[[str], Path], line: str) -> None:
    scontrol(line)
    assert job_deadline() is None


def test_no_job_no_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    assert job_deadline() is None


def test_signal_makes_the_request_and_only_within_the_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_limit, "LOOK_EVERY", -1.0)
    before = signal.getsignal(signal.SIGTERM)
    with stoppable(tmp_path, None) as stop:
        sent = pickle.loads(pickle.dumps(stop))  # as Ray sends it to the workers
        assert not stop()
        assert not sent()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop()
        assert sent()
        with pytest.raises(StoppedError, match="stopped on request; the state is saved"):
            stop.explain(progress=True)
    assert signal.getsignal(signal.SIGTERM) is before
    assert list(tmp_path.iterdir()) == []


def test_file_is_looked_for_once_a_second(tmp_path: Path) -> None:
    stop = StopRequest(tmp_path / "stop")
    assert not stop()
    stop.file.touch()
    assert not stop()
    stop._looked -= 2
    assert stop()


def test_deadline_is_a_request(tmp_path: Path) -> None:
    assert not StopRequest(tmp_path / "stop", time.time() + 60)()
    late = StopRequest(tmp_path / "stop", time.time() - 1)
    assert late()
    with pytest.raises(OutOfTimeError, match="before the time limit"):
        late.explain(progress=True)
    with pytest.raises(RuntimeError, match="too short to get anything done; give it more runtime"):
        late.explain(progress=False)


def test_end_without_request_is_no_stop(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="without a reason") as caught:
        StopRequest(tmp_path / "stop", None).explain(progress=True)
    assert not isinstance(caught.value, StoppedError)


def test_requests_to_the_killed_go_after_a_day(tmp_path: Path) -> None:
    old, recent = tmp_path / "stop-a-1-1", tmp_path / "stop-b-1-1"
    old.touch()
    recent.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    with stoppable(tmp_path, None):
        assert list(tmp_path.iterdir()) == [recent]


def test_wait_that_the_limit_ends_is_out_of_time(tmp_path: Path) -> None:
    with pytest.raises(OutOfTimeError, match="while waiting"), stoppable(tmp_path, 1.0):
        raise StoppedError("stopped while waiting")


def test_job_is_queued_again(scontrol: Callable[[str], Path]) -> None:
    words = scontrol("exit 0")
    queue_again(patience=0)
    assert words.read_text() == "requeue 7\n"


def test_refusal_of_slurm_is_told(scontrol: Callable[[str], Path]) -> None:
    scontrol("echo 'Requested operation is presently disabled' >&2; exit 1")
    with pytest.raises(OSError, match=r"\(Requested operation .* disabled\); the state is saved"):
        queue_again(patience=0)
