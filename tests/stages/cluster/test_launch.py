"""Joining or starting Ray: which cluster, where its files lie, and when it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from pipelines.cluster import launch
from pipelines.cluster.processes import CALL
from pipelines.cluster.ray_temp import short_temp
from structnets.files import write_json

USER = """
import json, os, sys
from pathlib import Path
from pipelines.cluster.launch import connected

with connected(Path(sys.argv[1]), 1):
    import ray

    @ray.remote(num_cpus=1)
    def look():
        mask = os.umask(0)
        os.umask(mask)
        return {"mask": mask, "interval": os.environ["RAY_TRAIN_HEALTH_CHECK_INTERVAL_S"]}

    print(json.dumps({**ray.get(look.remote()), "cpus": ray.cluster_resources()["CPU"]}))
"""


def marker(scratch: Path, **changes: Any) -> dict[str, Any]:
    """Write the marker of a warm cluster held by this very process."""
    me = psutil.Process()
    content = {"pid": me.pid, "created": me.create_time(), "address": "127.0.0.1:1", "token": "t"}
    write_json(scratch / "ray" / "warm.json", {**content, **changes})
    return {**content, **changes}


@pytest.fixture
def temp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let Ray's folders be made in a folder of this test, whose name is short."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setenv("STRUCTNETS_TMP", folder)
        yield Path(folder)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Record what `connected` does instead of doing it."""
    made: list[Any] = []
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(shutdown=lambda: made.append("end")))
    monkeypatch.setattr(launch, "_join", lambda address, runtime: made.append(("join", address)))
    monkeypatch.setattr(launch, "_use_token", lambda token: made.append(("token", token)))
    monkeypatch.setattr(
        launch, "start_private", lambda cpus, temp, token: made.append(("private", cpus))
    )
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return made


@pytest.mark.usefixtures("temp")
def test_address_of_the_environment_comes_first(
    tmp_path: Path, calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    marker(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with launch.connected(tmp_path, 2):
        assert calls == [("join", "10.0.0.1:6379")]
    assert calls[-1] == "end"


@pytest.mark.usefixtures("temp")
def test_warm_cluster_comes_second(tmp_path: Path, calls: list[Any]) -> None:
    marker(tmp_path)
    with launch.connected(tmp_path, 2):
        assert calls == [("token", "t"), ("join", "127.0.0.1:1")]


def test_private_cluster_comes_last_and_ends_with_an_error_too(
    tmp_path: Path, calls: list[Any], temp: Path
) -> None:
    def fail() -> None:
        with launch.connected(tmp_path, 2):
            assert len(list(temp.iterdir())) == 1
            raise RuntimeError("of the training")

    with pytest.raises(RuntimeError, match="of the training"):
        fail()
    assert calls == [("private", 2), "end"]
    assert list(temp.iterdir()) == []


def test_folder_of_ray_is_short_wherever_tmpdir_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake and Slurm set TMPDIR to long names."""
    monkeypatch.delenv("STRUCTNETS_TMP", raising=False)
    monkeypatch.setenv("TMPDIR", str(tmp_path / ("long" * 20)))
    with short_temp() as folder:
        assert folder.parent == Path("/tmp")
        assert len(str(folder)) <= launch.LONGEST_TEMP
    assert not folder.exists()


def test_folder_of_a_killed_process_goes_with_the_next(temp: Path) -> None:
    (temp / "r1").mkdir()
    write_json(temp / "r1" / "owner.json", {"pid": 2**22 + 1, "created": 1.0})
    for name, content in {"r2": "{", "other": '{"pid": 1, "created": 1.0}'}.items():
        (temp / name).mkdir()
        (temp / name / "owner.json").write_text(content)
    with short_temp() as mine, short_temp() as another:
        kept = {mine.name, another.name, "r2", "other"}
        assert {path.name for path in temp.iterdir()} == kept


def test_sockets_in_the_longest_folder_have_names_that_fit() -> None:
    """Linux allows 107 bytes; the longest of Ray's, with the largest process number."""
    socket = "/ray/session_2026-11-22_12-06-57_561867_4194304/sockets/plasma_store"
    assert launch.LONGEST_TEMP + len(socket) <= 107


def test_calls_on_one_scratch_root_have_clusters_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "60"]) as holder:
        try:
            process = psutil.Process(holder.pid)
            held = marker(tmp_path, pid=holder.pid, created=process.create_time())
            monkeypatch.setenv(CALL, "-of-another")
            assert launch.warm_cluster(tmp_path) is None
            launch.stop_warm(tmp_path)
            assert holder.poll() is None
            monkeypatch.delenv(CALL)
            assert launch.warm_cluster(tmp_path) == held
            launch.stop_warm(tmp_path)
            assert holder.wait(5) != 0
        finally:
            holder.kill()


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"pid": null, "created": 0}'])
def test_damaged_marker_is_ignored(tmp_path: Path, content: str) -> None:
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "warm.json").write_text(content)
    assert launch.warm_cluster(tmp_path) is None


@pytest.mark.parametrize("changes", [{"created": 1.0}, {"pid": 2**22 + 1}])
def test_marker_of_a_process_that_ended_is_ignored(tmp_path: Path, changes: dict[str, Any]) -> None:
    """Also when its number went to another process meanwhile."""
    marker(tmp_path, **changes)
    assert launch.warm_cluster(tmp_path) is None
    launch.stop_warm(tmp_path)


def test_cluster_that_is_starting_is_waited_for(tmp_path: Path) -> None:
    marker(tmp_path, address=None)
    later = threading.Timer(0.3, marker, (tmp_path,))
    later.start()
    found = launch.warm_cluster(tmp_path, patience=20)
    later.join()
    assert found is not None
    assert found["address"] == "127.0.0.1:1"


def test_patience_has_an_end(tmp_path: Path) -> None:
    marker(tmp_path, address=None)
    assert launch.warm_cluster(tmp_path, patience=0.2) is None


def test_second_warm_cluster_is_not_started(tmp_path: Path, calls: list[Any]) -> None:
    marker(tmp_path)
    before = (tmp_path / "ray" / "warm.json").read_text()
    launch.run_warm(tmp_path, os.getpid(), 1)
    assert calls == []
    assert (tmp_path / "ray" / "warm.json").read_text() == before


@pytest.mark.parametrize(
    ("variables", "cpus"),
    [
        ({"SLURM_CPUS_PER_TASK": "3"}, 3),
        ({"SLURM_CPUS_ON_NODE": "5"}, 5),
        ({}, len(os.sched_getaffinity(0))),
    ],
)
def test_processors_are_those_granted(
    variables: dict[str, str], cpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert launch.granted_cpus() == cpus


@pytest.fixture
def start_warm(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Return a starter of a warm cluster that ends with the process of a number."""
    holders: list[subprocess.Popen[bytes]] = []

    def start(parent: int) -> subprocess.Popen[bytes]:
        words = ["warm", "--scratch", str(tmp_path), "--parent", str(parent), "--cpus", "1"]
        holders.append(subprocess.Popen([sys.executable, "-m", "pipelines.cluster.launch", *words]))
        while launch.warm_cluster(tmp_path) is None:
            assert holders[-1].poll() is None
        return holders[-1]

    yield start
    for holder in holders:
        holder.kill()
        holder.wait()


@pytest.mark.slow
def test_warm_cluster_serves_and_ends_with_its_parent(
    tmp_path: Path, temp: Path, start_warm: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    with subprocess.Popen(["sleep", "600"]) as parent:
        holder = start_warm(parent.pid)
        daemons = psutil.Process(holder.pid).children(recursive=True)
        secret = tmp_path / "ray" / "warm.json"
        assert secret.stat().st_mode & 0o077 == 0
        assert listening([holder, *daemons]) == {"127.0.0.1"}
        command = [sys.executable, "-c", USER, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        parent.kill()
        assert done.returncode == 0, done.stderr
        assert holder.wait(60) == 0
    assert json.loads(done.stdout) == {"mask": current_mask(), "interval": "0.1", "cpus": 1.0}
    assert not secret.exists()
    assert psutil.wait_procs(daemons, 20)[1] == []
    assert list(temp.iterdir()) == []


def listening(processes: list[Any]) -> set[str]:
    """Return the addresses on which processes listen; those of IPv4 as such."""
    numbers = {process.pid for process in processes}
    return {
        found.laddr.ip.removeprefix("::ffff:")
        for found in psutil.net_connections("tcp")
        if found.status == psutil.CONN_LISTEN and found.pid in numbers
    }


@pytest.mark.slow
def test_warm_cluster_ends_when_asked(
    tmp_path: Path, temp: Path, start_warm: Callable[[int], subprocess.Popen[bytes]]
) -> None:
    holder = start_warm(os.getpid())
    daemons = psutil.Process(holder.pid).children(recursive=True)
    assert launch.main(["stop", "--scratch", str(tmp_path)]) == 0
    assert holder.wait(1) == 0
    assert launch.warm_cluster(tmp_path) is None
    assert psutil.wait_procs(daemons, 20)[1] == []
    assert list(temp.iterdir()) == []


def current_mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_long_folder_is_refused_before_ray_starts(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 60)
    with pytest.raises(ValueError, match=r"more than \d+ letters; set STRUCTNETS_TMP to a shorter"):
        launch.start_private(1, folder, "token")


@pytest.mark.parametrize(("failures", "starts"), [(0, 1), (2, 3)])
def test_start_on_a_busy_machine_is_tried_again(
    temp: Path, monkeypatch: pytest.MonkeyPatch, failures: int, starts: int
) -> None:
    tried = fake_ray(monkeypatch, failures)
    assert launch.start_private(1, temp, "t") == "127.0.0.1:1"
    assert len(tried) == starts


def test_start_that_fails_for_good_is_told(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_ray(monkeypatch, failures=3)
    with pytest.raises(
        RuntimeError, match="did not start in 3 attempts: The current node timed out"
    ):
        launch.start_private(1, temp, "t")


def fake_ray(monkeypatch: pytest.MonkeyPatch, failures: int) -> list[int]:
    """Let Ray fail so many times, as a busy machine makes it; return the attempts made."""
    tried: list[int] = []

    def init(**_: Any) -> None:
        tried.append(len(tried))
        if len(tried) <= failures:
            raise Exception("The current node timed out during startup.")

    context = SimpleNamespace(gcs_address="127.0.0.1:1")
    ray = SimpleNamespace(
        init=init,
        shutdown=lambda: None,
        LoggingConfig=lambda **_: None,
        get_runtime_context=lambda: context,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    return tried


def test_warm_needs_the_process_it_ends_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        launch.main(["warm", "--scratch", str(tmp_path)])
    assert "warm needs --parent" in capsys.readouterr().err
