"""What a training tells the outside, and how it is asked to stop."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol


class Reporter(Protocol):
    """Receives the rows of a training curve on rank 0."""

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        """Take the row of an epoch that has just ended, of `epochs` in all."""

    def resumed(self, curve: list[dict[str, float]]) -> None:
        """Take the rows of the epochs that an earlier attempt computed."""

    def stop_requested(self) -> bool:
        """Say whether the loop should save its state and stop; asked at every step."""
        ...


class StoppedError(RuntimeError):
    """Raised when a training stopped on request, after its state was saved."""


class Progress:
    """Print a line with an estimate of the time left, at most every few seconds.

    Parameters
    ----------
    name : str
        Put first in every line.
    every : float
        Seconds between two lines.
    """

    def __init__(self, name: str, every: float = 10.0) -> None:
        self.name, self.every = name, every
        self._start = self._last = time.monotonic()
        self._first_epoch: float | None = None

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        """Print the row, unless the last line is recent and this is not the last epoch."""
        now = time.monotonic()
        if self._first_epoch is None:
            self._first_epoch = row["epoch"] - 1
        if now - self._last < self.every and row["epoch"] < epochs:
            return
        self._last = now
        done = row["epoch"] - self._first_epoch
        left = (now - self._start) / done * (epochs - row["epoch"])
        shown = " ".join(f"{k} {row[k]:.4g}" for k in row if k not in ("epoch", "step"))
        print(
            f"{self.name} epoch {row['epoch']:.0f}/{epochs} {shown} left {_clock(left)}",
            file=sys.stderr,
            flush=True,
        )

    def resumed(self, curve: list[dict[str, float]]) -> None:
        """Say where the run goes on."""
        if curve:
            print(f"{self.name} resumed after epoch {curve[-1]['epoch']:.0f}", file=sys.stderr)

    def stop_requested(self) -> bool:
        """Never ask to stop."""
        return False


class RecordedProgress(Progress):
    """Print progress, and hand every row of the curve to `record`, earlier attempts' rows too.

    A resumed run hands over rows again, since what received them may be older than the
    checkpoint; `record` must bear that.
    """

    def record(self, row: dict[str, float]) -> None:
        """Take a row; for a subclass to say how."""
        raise NotImplementedError

    def resumed(self, curve: list[dict[str, float]]) -> None:
        """Say where the run goes on, and record the earlier rows."""
        super().resumed(curve)
        for row in curve:
            self.record(row)

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        """Print and record the row of an epoch."""
        super().epoch(row, epochs)
        self.record(row)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"


def row_of(epoch: int, step: int, **values: Any) -> dict[str, float]:
    """Return one row of a training curve; `epoch` counts from 1."""
    return {"epoch": float(epoch), "step": float(step), **{k: float(v) for k, v in values.items()}}
