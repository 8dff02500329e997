"""A process that reads hostile files, watched: resident memory and time, for each file."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

MEMORY = 4 << 30  # bytes, resident, of the process and those it starts
SECONDS = 20.0


def read_all(reader: str, folder: Path) -> dict[str, dict[str, Any]]:
    """Return what became of each file: ``error``, ``read``, ``traceback`` or ``ended``."""
    found: dict[str, dict[str, Any]] = {}
    while _pass(reader, folder, found):
        pass
    return found


def _pass(reader: str, folder: Path, found: dict[str, dict[str, Any]]) -> bool:
    """Let a process read what no process has begun; return whether it ended before its time."""
    words = [sys.executable, "-m", "tests.hostile.reading", reader, str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        case, lines = None, _lines(process)
        for line in lines:
            if isinstance(line, str):
                _end(process)
                found[str(case)] = {"ended": line}
                return True
            case = line.pop("case")
            found[case] = line
        if process.wait():
            found[str(case)] = {"ended": f"with code {process.returncode}"}
            return case is not None
    return False


def _lines(process: subprocess.Popen[bytes]) -> Any:
    """Yield the lines of a process, or why it has to end."""
    assert process.stdout is not None
    begun, rest, wait = time.monotonic(), b"", 60.0  # for the first line, after imports
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(0.05):
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    return
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    begun, wait = time.monotonic(), 0.0
                    yield json.loads(line)
            if time.monotonic() - begun > SECONDS + wait:
                yield f"after {SECONDS:.0f} s"
            if (held := _resident(process.pid)) > MEMORY:
                yield f"with {held >> 20} MB"


def _resident(pid: int) -> int:
    total = 0
    try:
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        pass
    return total


def _end(process: subprocess.Popen[bytes]) -> None:
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.wait()
