"""A process that reads hostile files, watched: resident memory and time, for each file.

Its time is that of the processor, since a busy machine makes the clock's longer; the clock ends
what waits and computes nothing.
"""

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
SECONDS = 20.0  # of the processor, for a file
WAITING = 180.0  # by the clock
IMPORTS = 60.0  # of the processor, before the first file


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
    begun, spent, rest, imports = time.monotonic(), 0.0, b"", IMPORTS
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if selector.select(0.05):
                part = os.read(process.stdout.fileno(), 1 << 16)
                if not part:
                    return
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    begun, spent, imports = time.monotonic(), _used(process.pid)[1], 0.0
                    yield json.loads(line)
            held, seconds = _used(process.pid)
            if seconds - spent > SECONDS + imports:
                yield f"after {SECONDS:.0f} s"
            if time.monotonic() - begun > WAITING:
                yield f"after {WAITING:.0f} s by the clock"
            if held > MEMORY:
                yield f"with {held >> 20} MB"


def _used(pid: int) -> tuple[int, float]:
    """Return the resident memory and the processor's seconds of a process and its children."""
    memory, seconds = 0, 0.0
    try:
        first = psutil.Process(pid)
        for process in (first, *first.children(recursive=True)):
            try:
                memory += process.memory_info().rss
                times = process.cpu_times()
                # Of children that have ended, too.
                seconds += sum(times[:4])
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        pass
    return memory, seconds


def _end(process: subprocess.Popen[bytes]) -> None:
    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
        one.kill()
    process.wait()
