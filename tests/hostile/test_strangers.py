"""What another user of the machine left is neither believed, followed, ended nor removed."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipelines.cluster import launch
from pipelines.cluster.ray_temp import short_temp
from pipelines.cluster.run_lock import RunLock

STRANGER = 12345
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as another user")


@pytest.fixture
def process() -> Iterator[psutil.Process]:
    """Yield a process of the stranger, which does nothing."""
    with subprocess.Popen(["sleep", "60"], user=STRANGER) as started:
        yield psutil.Process(started.pid)
        started.kill()


def _alive(process: psutil.Process, **more: Any) -> dict[str, Any]:
    return {"pid": process.pid, "created": process.create_time(), **more}


def _leave(path: Path, content: Any, owner: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    os.chown(path, owner, owner)


@pytest.mark.parametrize("owner", [STRANGER, 0])
def test_a_marker_of_a_stranger_is_not_followed(
    owner: int, tmp_path: Path, process: psutil.Process
) -> None:
    """Neither one that they wrote, nor one that names a process of theirs."""
    path = tmp_path / "ray" / "warm.json"
    named = process if owner == 0 else psutil.Process()
    _leave(path, _alive(named, address="127.0.0.1:1", token="t"), owner)
    assert launch.warm_cluster(tmp_path) is None
    launch.stop_warm(tmp_path)
    assert process.is_running()
    assert path.exists()


def test_a_link_to_a_marker_is_not_followed(tmp_path: Path) -> None:
    _leave(tmp_path / "own.json", _alive(psutil.Process(), address="a:1", token="t"), 0)
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "warm.json").symlink_to(tmp_path / "own.json")
    assert launch.warm_cluster(tmp_path) is None


@pytest.mark.parametrize("kind", ["file", "link", "pipe"])
def test_a_claim_of_a_stranger_holds_nothing(kind: str, tmp_path: Path) -> None:
    content = _alive(psutil.Process(), host=socket.gethostname(), job=None)
    claim = tmp_path / "lock" / "000001.json"
    _leave(tmp_path / "own.json", content, 0)
    claim.parent.mkdir()
    if kind == "file":
        _leave(claim, content, STRANGER)
    elif kind == "link":
        claim.symlink_to(tmp_path / "own.json")
    else:
        os.mkfifo(claim)
        os.chown(claim, STRANGER, STRANGER)
    with RunLock(claim.parent, give_up=lambda: True, beat=0.05) as lock:
        assert not lock.waited


@pytest.mark.parametrize("how", ["folder", "mark", "link", "link within"])
def test_what_a_stranger_points_at_stays(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRUCTNETS_TMP", str(tmp_path))
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years")
    folder, ended = tmp_path / "r1", {"pid": 2**22 + 1, "created": 1.0}
    if how == "link":
        _leave(tmp_path / "precious" / "owner.json", ended, 0)
        folder.symlink_to(tmp_path / "precious")
    else:
        _leave(folder / "owner.json", ended, STRANGER if how == "mark" else 0)
        (folder / "inner").symlink_to(tmp_path / "precious")
    if how == "folder":
        os.chown(folder, STRANGER, STRANGER)
    with short_temp():
        pass
    assert (tmp_path / "precious" / "thesis.txt").read_text() == "years"
    assert folder.exists() == (how != "link within")  # which is one's own, and goes
