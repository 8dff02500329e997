"""Only one job trains a run: whatever ends the other, and wherever it runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.cluster import run_lock
from pipelines.cluster.processes import has_ended, this_process
from pipelines.cluster.run_lock import RunLock
from structnets.training.reporting import StoppedError

# Adds one to a number, so slowly that two who do it at once lose one.
COUNT = """
import sys, time
from pathlib import Path
from pipelines.cluster.run_lock import RunLock

folder = Path(sys.argv[1])
for _ in range(3):
    with RunLock(folder / "lock", beat=0.05):
        number = int((folder / "number").read_text())
        time.sleep(0.1)
        (folder / "number").write_text(str(number + 1))
"""


@pytest.fixture
def squeue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a setter of what ``squeue`` does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def answer(line: str) -> None:
        program = folder / "squeue"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)

    answer("echo RUNNING")
    return answer


def claim(folder: Path, number: int = 1, **changes: Any) -> Path:
    """Write a claim of this very process, which lives."""
    me = psutil.Process()
    content = {
        "host": socket.gethostname(),
        "pid": me.pid,
        "created": me.create_time(),
        "job": None,
    }
    path = folder / f"{number:06d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**content, **changes}))
    return path


def taken(folder: Path, patience: float = 0.3, **options: Any) -> bool:
    """Say whether the lock can be had within some seconds."""
    until = time.monotonic() + patience
    lock = RunLock(folder, give_up=lambda: time.monotonic() > until, beat=0.05, **options)
    try:
        with lock:
            return True
    except StoppedError:
        return False


def test_processes_take_turns(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("0")
    command = [sys.executable, "-c", COUNT, str(tmp_path)]
    processes = [subprocess.Popen(command) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0] * 4
    assert (tmp_path / "number").read_text() == "12"
    assert len(list((tmp_path / "lock").iterdir())) == 1


def test_holder_that_lives_is_waited_for(tmp_path: Path) -> None:
    with RunLock(tmp_path):
        assert not taken(tmp_path)
        waiting: list[bool] = []
        other = threading.Thread(target=lambda: waiting.append(taken(tmp_path, patience=20)))
        other.start()
    other.join()
    assert waiting == [True]


@pytest.mark.parametrize("changes", [{"pid": 2**22 + 1}, {"created": 1.0}])
def test_holder_that_died_here_is_followed_at_once(tmp_path: Path, changes: Any) -> None:
    claim(tmp_path, **changes)
    assert taken(tmp_path)


def test_holder_is_known_again_after_the_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = this_process()
    monkeypatch.setattr(psutil._pslinux, "boot_time", lambda: psutil.boot_time() + 3600)
    assert not has_ended(holder)
    assert has_ended({**holder, "created": holder["created"] + "0"})


def test_holder_elsewhere_that_is_silent_is_followed_in_time(tmp_path: Path) -> None:
    claim(tmp_path, host="elsewhere")
    assert not taken(tmp_path, stale=5)
    assert taken(tmp_path, patience=5, stale=0.5)


def test_holder_elsewhere_that_beats_is_waited_for(tmp_path: Path) -> None:
    path = claim(tmp_path, host="elsewhere")
    ended = threading.Event()

    def touch() -> None:
        while not ended.wait(0.1):
            # An hour behind: clocks are not compared.
            os.utime(path, (time.time() - 3600, time.time() - 3600))

    beating = threading.Thread(target=touch)
    beating.start()
    assert not taken(tmp_path, patience=1.5, stale=0.6)
    ended.set()
    beating.join()


@pytest.mark.parametrize(
    ("line", "free"),
    [
        ("echo RUNNING", False),
        ("echo COMPLETING", False),
        ("echo CANCELLED", True),
        ("echo PENDING", True),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", True),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", False),
    ],
)
def test_slurm_knows_whether_the_job_of_the_holder_runs(
    tmp_path: Path, squeue: Callable[[str], None], line: str, free: bool
) -> None:
    squeue(line)
    claim(tmp_path / "lock", host="elsewhere", job="17")
    assert taken(tmp_path / "lock") is free


@pytest.mark.parametrize(("line", "free"), [("echo RUNNING", False), ("exit 1", True)])
def test_slurm_is_believed_before_process_numbers(
    tmp_path: Path, squeue: Callable[[str], None], line: str, free: bool
) -> None:
    """Containers of one host name do not see each other's processes."""
    squeue(line)
    claim(tmp_path / "lock", pid=2**22 + 1, job="17")
    assert taken(tmp_path / "lock") is free


def test_own_job_on_another_host_was_queued_again(
    tmp_path: Path, squeue: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    claim(tmp_path / "lock", host="elsewhere", job="17")
    assert taken(tmp_path / "lock")


def test_claim_that_is_being_written_holds(tmp_path: Path) -> None:
    (tmp_path / "000001.json").write_text("{")
    assert not taken(tmp_path, stale=5)
    assert taken(tmp_path, patience=5, stale=0.5)


def test_holder_taken_for_dead_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a minute's sleep of its machine, at whose end another job trains."""
    killed: list[int] = []
    monkeypatch.setattr(run_lock.os, "kill", lambda pid, number: killed.append(pid))
    with RunLock(tmp_path, beat=0.05):
        other = claim(tmp_path, number=2)
        until = time.monotonic() + 10
        while not killed and time.monotonic() < until:
            time.sleep(0.05)
        assert killed == [os.getpid()]
    assert "released" not in other.read_text()
