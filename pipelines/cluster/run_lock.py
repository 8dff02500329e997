"""The right to train a run: one job at a time, also over a shared file system.

A rerun after a dead Snakemake submits a second job beside the first, which is still training. The
second waits here until the first has ended, and then finds the run published, or goes on with it.

A lock is a folder of numbered claims. A file system makes a file of a name only once, so whoever
makes the next number holds the run; there is no moment at which two do. A claim says who made it
and is touched every few seconds. It is void when it says so, when Slurm does not run its job, when
its process is gone from this host, or when it was not touched for so long, by the clock of whoever
waits: clocks of different machines are never compared.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from pipelines.cluster.processes import has_ended, this_process
from structnets.files import write_json
from structnets.foreign.documents import parse_json
from structnets.training.reporting import StoppedError

logger = logging.getLogger("structnets.lock")
# What is left of a job that Slurm still has.
ENDED = {"CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY", "PENDING", "TIMEOUT"}
# Seconds between two questions to Slurm.
ASK_EVERY = 5.0
_LONGEST_CLAIM = 4096
_NUMBER = re.compile("[0-9]{6,9}", re.ASCII)


def _never() -> bool:
    return False


@dataclass
class RunLock:
    """Hold a run for the length of a block.

    Parameters
    ----------
    folder : Path
        Folder of the claims.
    give_up : callable
        Asked while waiting; when it says so, the wait ends with `StoppedError`.
    beat, stale : float
        Seconds between two touches, and without one until a claim is void. File systems show a
        change to other machines up to a minute late.

    Attributes
    ----------
    waited : bool
        Whether another job held it first.
    """

    folder: Path
    give_up: Callable[[], bool] = _never
    beat: float = 10.0
    stale: float = 150.0
    waited: bool = field(default=False, init=False)
    _number: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        """Wait for the run.

        Raises
        ------
        StoppedError
            If told to give up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=self.folder) as mine:  # as this file system calls the user
            watch = _Watch(self.stale, os.fstat(mine.fileno()).st_uid)
        while not self._claimed(watch):
            if self.give_up():
                raise StoppedError(f"stopped while another job holds {self.folder}")
            self.waited = True
            time.sleep(min(1.0, self.beat))
        self._heart = threading.Thread(target=self._keep, name="lock", daemon=True)
        self._heart.start()
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave the run to others."""
        self._ended.set()
        self._heart.join()
        if self._newest() == self._number:
            write_json(self._claim(self._number), {"released": True})

    def _claim(self, number: int) -> Path:
        return self.folder / f"{number:06d}.json"

    def _newest(self) -> int:
        numbers = (path.stem for path in self.folder.glob("[0-9]*.json"))
        return max((int(name) for name in numbers if _NUMBER.fullmatch(name)), default=0)

    def _claimed(self, watch: _Watch) -> bool:
        """Try to make the next claim, if the newest is void."""
        newest = self._newest()
        if newest and not watch.void(self._claim(newest)):
            return False
        try:
            handle = os.open(self._claim(newest + 1), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            return False
        with os.fdopen(handle, "w") as file:
            json.dump(_myself(), file)
        self._number = newest + 1
        for number in range(max(newest - 5, 1), newest + 1):
            self._claim(number).unlink(missing_ok=True)
        return True

    def _keep(self) -> None:
        """Touch the claim until the end, or until somebody took it for void."""
        mine = self._claim(self._number)
        while not self._ended.wait(self.beat):
            try:
                if self._newest() != self._number:
                    logger.error("another job took %s over; stopping", self.folder)
                    os.kill(os.getpid(), signal.SIGTERM)
                    return
                os.utime(mine)
            except OSError as error:
                logger.warning("cannot touch %s: %s", mine, error)


class _Watch:
    """Somebody's look at the claims of others."""

    def __init__(self, stale: float, user: int) -> None:
        self.stale, self.user = stale, user
        self._seen: tuple[Path, float] | None = None
        self._since = 0.0
        self._asked = 0.0

    def void(self, claim: Path) -> bool:
        """Say whether a claim no longer holds."""
        now = time.monotonic()
        try:
            # Opened, since a network file system then asks its server.
            with os.fdopen(_open_no_link(claim), errors="replace") as file:
                facts = os.fstat(file.fileno())
                text = file.read(_LONGEST_CLAIM)
        except FileNotFoundError:
            return False  # a newer one is there
        except OSError as error:
            logger.warning("%s is no claim (%s): passed over", claim, error)
            return True
        if facts.st_uid != self.user:
            logger.warning("%s is a claim of another user: passed over", claim)
            return True
        touched = facts.st_mtime
        new = self._seen is None or self._seen[0] != claim
        if self._seen != (claim, touched):
            self._seen, self._since = (claim, touched), now
        if now - self._since > self.stale:
            logger.warning("%s was not touched for %.0f s: taking over", claim, now - self._since)
            return True
        try:
            holder = parse_json(text, claim)
            if holder.get("released"):
                return True
            holder = {"job": holder["job"], **{key: holder[key] for key in this_process()}}
        except (ValueError, KeyError, AttributeError):
            return False  # still being written, or void after a while
        if not new and now - self._asked < ASK_EVERY:
            return False
        self._asked = now
        try:
            gone = _is_gone(holder)
        except ValueError:
            return False  # damaged: void after a while
        if gone:
            logger.info("whoever held %s is gone: %s", claim.parent, holder)
        elif new:
            logger.info("waiting for another job that holds %s: %s", claim.parent, holder)
        return gone


def _open_no_link(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)


def _myself() -> dict[str, Any]:
    return {**this_process(), "job": os.environ.get("SLURM_JOB_ID")}


def _is_gone(holder: dict[str, Any]) -> bool:
    """Say whether the holder of a claim is known to have ended."""
    here, job = holder["host"] == socket.gethostname(), holder["job"]
    own = os.environ.get("SLURM_JOB_ID")
    if job and job == own and not here:
        return True  # of this job before Slurm queued it again
    if job and job != own and (ended := _slurm_ended(job)) is not None:
        return ended
    return has_ended(holder)


def _slurm_ended(job: str) -> bool | None:
    """Say whether a job has ended; None where Slurm cannot be asked."""
    if not isinstance(job, str) or not job.isdecimal():
        return None
    words = ["squeue", "--noheader", "--states=all", "--format=%T", f"--jobs={job}"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return True if "Invalid job id" in done.stderr else None
    states = set(done.stdout.split())
    return states <= ENDED
