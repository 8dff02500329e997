"""What each process of a sweep does, and how a sweep is stopped.

A module of its own, as `pipelines.cluster.training_worker`: Ray's processes import it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from structnets.identity import prepared_name, run_id
from structnets.specs.resolved import ResolvedSpec
from structnets.training.reporting import RecordedProgress, StoppedError

METRIC = "val_accuracy"
SPEED = "images_per_s"
# Seconds that trials have to save their state before Tune ends them.
SAVING = 15.0


class TuneReporter(RecordedProgress):
    """Print progress, tell Tune every validation accuracy, and stop when asked."""

    def __init__(self, name: str, stop: Callable[[], bool]) -> None:
        super().__init__(name)
        self.stop_requested = stop

    def record(self, row: dict[str, float]) -> None:
        """Tell Tune a row that was evaluated."""
        from ray import tune

        if METRIC in row:
            tune.report({"epoch": int(row["epoch"]), **{key: row[key] for key in (METRIC, SPEED)}})


def run_trial(
    config: dict[str, Any],
    specs: list[ResolvedSpec],
    folder: Path,
    prepared: Path,
    stop: Callable[[], bool],
) -> None:
    """Train one trial; Tune calls this in a process of its own and may end it early.

    Raises
    ------
    StoppedError
        If asked to stop, after its state was saved. Tune takes it for a failure, and goes on with
        the trial when the sweep is restored.
    """
    if stop():
        raise StoppedError("not begun: the sweep is being stopped")
    from structnets.training.run import run_spec

    spec = specs[config["trial"]]
    work = folder / "trials" / run_id(spec)
    run_spec(
        spec,
        prepared / prepared_name(spec["data"]),
        work / "out",
        work,
        reporter=TuneReporter(f"trial {config['trial']}", stop),
    )


def progress(folder: Path) -> list[Path]:
    """Return what the trials of a sweep have got done."""
    return sorted((folder / "trials").glob("*/checkpoints/step-*"))


@contextlib.contextmanager
def interrupted_by(stop: Callable[[], bool]) -> Iterator[None]:
    """End the fit of a block when asked to stop, once the trials have saved their state.

    Tune would start one waiting trial after the other, only to see each stop. At SIGUSR1 it writes
    down where all of them stand, and returns.
    """
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(1.0):
            if stop():
                if not ended.wait(SAVING):
                    os.kill(os.getpid(), signal.SIGUSR1)
                return

    thread = threading.Thread(target=watch, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
