"""Jobs that are forked behave as those that are started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import fork_server
from pipelines.forked import SERVER

SAID = """
import os, sys
import numpy as np
print(sys.argv[1:], os.getcwd(), os.environ["ASKED"], __name__, sys.stdin.read())
print("warned", file=sys.stderr)
print(np.random.rand())
sys.exit(int(sys.argv[1]))
"""
WAITS = """
import pathlib, sys, time
pathlib.Path(sys.argv[1]).write_text("begun")
try:
    time.sleep(60)
finally:
    pathlib.Path(sys.argv[1]).write_text("ended")
"""
INTERRUPTIBLE = "import signal, sys\nsignal.signal(15, lambda *_: sys.exit(7))" + WAITS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of modules, in the path of what is started."""
    for name, text in (("said", SAID), ("waits", WAITS), ("interruptible", INTERRUPTIBLE)):
        (tmp_path / f"{name}.py").write_text(text)
    places = (str(tmp_path), os.environ.get("PYTHONPATH", ""), str(Path.cwd()))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, places)))
    monkeypatch.setenv("ASKED", "as asked")
    monkeypatch.delenv(SERVER, raising=False)
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[None]:
    """Serve during a test; the server must end by itself."""
    with (folder / "log").open("w") as log:
        process = fork_server.start(log, ["numpy"])
    assert process is not None
    assert process.stdin is not None
    yield
    os.environ.pop(SERVER)
    process.stdin.close()
    assert process.wait(20) == 0, (folder / "log").read_text()


def started(*words: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, **options)  # type: ignore[call-overload]


def until(file: Path, text: str) -> None:
    for _ in range(4000):
        if file.is_file() and file.read_text() == text:
            return
        time.sleep(0.05)
    raise AssertionError(f"{file} never said {text!r}")


def said(*words: str, folder: Path) -> tuple[int, list[str], str]:
    process = started(*words, cwd=folder)
    out, err = process.communicate("given")
    return process.returncode, out.splitlines(), err


@pytest.mark.usefixtures("server")
def test_forked_module_is_as_a_started_one(folder: Path) -> None:
    plain = said("said", "3", "two words", folder=folder)
    forked = [said("pipelines.forked", "said", "3", "two words", folder=folder) for _ in range(2)]
    assert plain[0] == 3
    assert plain[1][0].endswith("as asked __main__ given")
    for code, out, err in forked:
        assert (code, out[0], err) == (plain[0], plain[1][0], plain[2])
    assert len({out[1] for _, out, _ in [plain, *forked]}) == 3, (
        "each has random numbers of its own"
    )


@pytest.mark.usefixtures("server")
def test_forked_module_is_read_when_it_begins(folder: Path) -> None:
    assert said("pipelines.forked", "said", "0", folder=folder)[0] == 0
    (folder / "said.py").write_text("import sys\nsys.exit(5)\n")
    assert said("pipelines.forked", "said", "0", folder=folder)[0] == 5
    assert not [name for name in fork_server.LIBRARIES if name.startswith(("structnets", "pipe"))]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("module", "code"), [("waits", 143), ("interruptible", 7)])
def test_signals_are_handed_on(folder: Path, module: str, code: int) -> None:
    mark = folder / "mark"
    with started("pipelines.forked", module, str(mark)) as process:
        until(mark, "begun")
        process.send_signal(signal.SIGTERM)
    assert process.returncode == code
    assert mark.read_text() == ("begun" if module == "waits" else "ended")


@pytest.mark.usefixtures("server")
def test_process_ends_with_its_caller(folder: Path) -> None:
    mark = folder / "mark"
    with started("pipelines.forked", "interruptible", str(mark)) as process:
        until(mark, "begun")
        process.kill()
    until(mark, "ended")


def test_without_a_server_the_module_is_started(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (None, "structnets-nobody"):
        if name:
            monkeypatch.setenv(SERVER, name)
        assert said("pipelines.forked", "said", "4", folder=folder)[0] == 4
