"""Stopping a training in time: at a signal, or shortly before Slurm ends its job.

Slurm's own signal at the time limit goes to every process of a job, Ray's included, which would
end before the training can save anything. So a stage asks Slurm when its job ends, stops a grace
time before, and lets Slurm queue the job again; it goes on from the checkpoint.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from structnets.training.reporting import StoppedError

logger = logging.getLogger("structnets.time_limit")
# To save, to end Ray, and to tell MLflow; less in jobs so short that it would be most of them.
GRACE = 120.0
GRACE_PART = 0.2
LOOK_EVERY = 1.0
# Seconds after which nobody can be about to follow a request.
LEFT_OVER = 24 * 3600.0


class OutOfTimeError(StoppedError):
    """A training stopped, and saved its state, since the time limit of its job was near."""


@dataclass
class StopRequest:
    """A request to stop that workers on all nodes see; it may be sent to them.

    Parameters
    ----------
    file : Path
        Its presence is the request.
    deadline : float or None
        Time since the epoch from which on it holds without the file.
    """

    file: Path
    deadline: float | None = None
    _looked: float = 0.0
    _found: bool = False

    def __call__(self) -> bool:
        """Say whether to stop; looks at most once a second."""
        now = time.time()
        if not self._found and abs(now - self._looked) > LOOK_EVERY:
            self._looked = now
            self._found = self.late() or self.file.exists()
        return self._found

    def late(self) -> bool:
        """Say whether the deadline has passed."""
        return self.deadline is not None and time.time() > self.deadline

    def listen(self) -> None:
        """Let SIGTERM make the request; again after Ray has set a handler of its own."""
        signal.signal(signal.SIGTERM, lambda number, frame: self.file.touch())

    def explain(self, progress: bool) -> NoReturn:
        """Raise the error of a training that ended before it was done.

        Parameters
        ----------
        progress : bool
            Whether it got anything done; if not, another attempt would not either.

        Raises
        ------
        OutOfTimeError, StoppedError
            If it was asked to stop.
        RuntimeError
            If it was not, or if the time limit is too short to get anywhere.
        """
        if self.late() and not progress:
            raise RuntimeError(
                "the time limit of the job is too short to get anything done; give it more runtime"
            )
        if self.late():
            raise OutOfTimeError("stopped before the time limit of the job; the state is saved")
        if self.file.exists():
            raise StoppedError("stopped on request; the state is saved: run it again to go on")
        raise RuntimeError("the training ended before it was done, without a reason")


@contextlib.contextmanager
def stoppable(folder: Path, deadline: float | None) -> Iterator[StopRequest]:
    """Turn SIGTERM into a request to stop during a block.

    Parameters
    ----------
    folder : Path
        For the file that is the request; on the file system that all nodes see.
    deadline : float or None
        As `job_deadline` gives it.

    Raises
    ------
    OutOfTimeError
        Instead of any other `StoppedError` of the block, if the deadline has passed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("stop-*"):  # by a process that was killed
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > LEFT_OVER:
                left.unlink()
    file = folder / f"stop-{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
    request = StopRequest(file, deadline)
    before = signal.getsignal(signal.SIGTERM)
    request.listen()
    try:
        yield request
    except StoppedError as error:
        if request.late() and not isinstance(error, OutOfTimeError):
            raise OutOfTimeError(str(error)) from error
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
        file.unlink(missing_ok=True)


def job_deadline() -> float | None:
    """Return when this Slurm job should stop by itself; None without a job or a limit."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        return None
    words = ["scontrol", "show", "job", "--oneliner", job]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("Slurm does not say when this job ends: %s", error)
        return None
    times = dict(re.findall(r"\b(StartTime|EndTime)=(\d{4}-\S+)", done.stdout))
    if "EndTime" not in times or "StartTime" not in times or "TimeLimit=UNLIMITED" in done.stdout:
        return None
    start, end = (datetime.fromisoformat(times[k]).timestamp() for k in ("StartTime", "EndTime"))
    return end - min(GRACE, GRACE_PART * (end - start))


def queued_again_at_limit(action: Callable[[], object]) -> None:
    """Run a stage's action; if it stops since the time limit is near, let Slurm queue the job.

    Raises
    ------
    OutOfTimeError
        If Slurm queued it, but does not end it.
    OSError
        As `queue_again`.
    """
    try:
        action()
    except OutOfTimeError as error:
        logger.info("%s", error)
        queue_again()
        raise


def queue_again(patience: float = 60.0) -> None:
    """Let Slurm queue this job again, and wait for it to end this process.

    Raises
    ------
    OSError
        If Slurm refuses, as where ``JobRequeue`` is off; then Snakemake has to be run again.
    """
    job = os.environ["SLURM_JOB_ID"]
    logger.info("Slurm is asked to queue job %s again; it goes on from its checkpoint", job)
    done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(
            f"the time limit is near, but Slurm does not queue the job again "
            f"({done.stderr.strip()}); the state is saved: run the same Snakemake command again"
        )
    time.sleep(patience)
