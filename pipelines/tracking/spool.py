"""The record on disk of what MLflow is to be told about one run (standard library only).

A spool is a folder with

- ``tracking.jsonl``: one JSON line per event (see `lines`), only ever appended to;
- ``state.json``: the run's MLflow id and how many bytes of the record MLflow has confirmed;
- ``rejected.jsonl``: lines MLflow refused for good, each with its reason;
- ``lock``: held by whoever speaks to MLflow for this run.

The record is kept after it was sent: it says which steps were logged, and a store that was lost
can be filled again from it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.tracking import lines
from structnets.files import read_json, write_json

RECORD = "tracking.jsonl"

# What a full disk may keep waiting in memory; lines beyond it are lost to MLflow.
_WAITING_BYTES = 8 << 20

log = logging.getLogger("structnets.tracking")


class Spool:
    """The spool of one run; made by its first line.

    Parameters
    ----------
    directory : path
        ``<scratch>/runs/<run_id>/spool``. Several processes may append at the same time.

    Examples
    --------
    In a worker of rank 0, which needs nothing but this path from the driver:

    >>> spool = Spool("/scratch/runs/rfnn_mnist-mnist-n300-s0-0a1b2c3d/spool")
    >>> spool.log_metrics(120, {"train_loss": 0.31, "lr": 4.9})
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        self.record = self.directory / RECORD
        self._file: int | None = None
        self._waiting = b""
        self._failing = False
        self._guard = threading.Lock()

    def log_metrics(self, step: int, values: Mapping[str, Any]) -> None:
        """Record metrics at a step; returns once the operating system has the line.

        Raises
        ------
        TypeError, ValueError
            If a value is not a number, or a name is not allowed.
        """
        self.append(lines.metrics_line(step, values))

    def append(self, line: Mapping[str, Any]) -> None:
        """Append a line.

        A disk that refuses it (full, say) is reported once and never raises: the line waits in
        memory and goes out with the next one.
        """
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        with self._guard:
            if len(self._waiting) + len(data) <= _WAITING_BYTES:
                self._waiting += data
            try:
                self._write_waiting()
                self._failing = False
            except OSError as error:
                if not self._failing:
                    log.warning("tracking: cannot write %s: %s; going on", self.record, error)
                self._failing = True

    def _write_waiting(self) -> None:
        if self._file is None:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.record, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            size = os.fstat(self._file).st_size
            # A process killed while it wrote leaves half a line: end it, so that ours is whole.
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")
        while self._waiting:
            self._waiting = self._waiting[os.write(self._file, self._waiting) :]

    def close(self) -> None:
        """Make the record safe on disk and close it."""
        with self._guard:
            if self._file is not None:
                with contextlib.suppress(OSError):
                    os.fsync(self._file)
                os.close(self._file)
                self._file = None

    def sync(self) -> None:
        """Make the record safe on disk, whoever wrote it; done before anything is sent."""
        with self.record.open("rb") as file:
            os.fsync(file.fileno())

    def read(self, start: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield each whole line from byte `start` on, as (position after it, content).

        A line that is not JSON (cut by a crash) has an empty content. A last line that is still
        being written is left for the next time.
        """
        if not self.record.exists():
            return
        with self.record.open("rb") as file:
            file.seek(start)
            for raw in file:
                if not raw.endswith(b"\n"):
                    return
                start += len(raw)
                try:
                    content = json.loads(raw)
                except ValueError:
                    content = {}
                yield start, content if isinstance(content, dict) else {}

    def header(self) -> dict[str, Any] | None:
        """Return the first line that opens the run, or None if there is none yet."""
        return next((line for _, line in self.read() if line.get("do") == "open"), None)

    def state(self) -> tuple[str | None, int]:
        """Return the run's MLflow id, if it has one, and how many bytes MLflow has confirmed."""
        try:
            state = read_json(self.directory / "state.json")
            return state["mlflow_run_id"], int(state["sent"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None, 0

    def save_state(self, mlflow_run_id: str | None, sent: int) -> None:
        """Write what `state` returns."""
        write_json(self.directory / "state.json", {"mlflow_run_id": mlflow_run_id, "sent": sent})

    def pending(self) -> bool:
        """Return whether MLflow still has to be told something."""
        size = self.record.stat().st_size if self.record.exists() else 0
        return size > self.state()[1] or bool(self._waiting)

    def reject(self, line: Mapping[str, Any], reason: str) -> None:
        """Set a line aside that MLflow refuses for good."""
        log.warning("tracking: MLflow refuses %s of %s: %s", line.get("do"), self.record, reason)
        with (self.directory / "rejected.jsonl").open("a") as file:
            file.write(json.dumps({"line": line, "reason": reason}) + "\n")

    @contextlib.contextmanager
    def lock(self, patience: float) -> Iterator[bool]:
        """Hold the right to speak to MLflow for this run.

        Parameters
        ----------
        patience : float
            Seconds to wait for a process that has it.

        Yields
        ------
        bool
            Whether the lock was obtained. The system frees it when its holder dies.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as file:
            yield wait_for_lock(file.fileno(), patience)


def wait_for_lock(file: int, patience: float) -> bool:
    """Lock an open file, waiting up to `patience` seconds; closing it unlocks it."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(0.05)
