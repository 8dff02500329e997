"""What each process of a training's worker group does.

A module of its own, since Ray's controller imports it too: it must import next to nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.tracking.lines import now
from pipelines.tracking.spool import Spool
from structnets.files import write_atomic
from structnets.identity import prepared_name, run_id
from structnets.specs.resolved import ResolvedSpec
from structnets.training.reporting import RecordedProgress, StoppedError
from structnets.training.run_files import is_published

logger = logging.getLogger("structnets.train")


@dataclass(frozen=True)
class Roots:
    """Where things lie, as absolute paths: Ray's workers run in other folders."""

    prepared: Path
    results: Path
    scratch: Path

    def out(self, spec: ResolvedSpec) -> Path:
        """Return where a run is published."""
        return self.results / "runs" / run_id(spec)

    def work(self, spec: ResolvedSpec) -> Path:
        """Return where a run keeps its state."""
        return self.scratch / "runs" / run_id(spec)

    def lock(self, spec: ResolvedSpec) -> Path:
        """Return where the job that trains a run says so."""
        return self.work(spec) / "lock"

    def error(self, spec: ResolvedSpec) -> Path:
        """Return where a worker says why a run cannot succeed."""
        return self.work(spec) / "error.txt"

    def spool(self, spec: ResolvedSpec) -> Path:
        """Return where a run leaves what is for MLflow."""
        return self.work(spec) / "spool"


class SpoolReporter(RecordedProgress):
    """Print progress, and record the curve for MLflow, which logs each step once."""

    def __init__(self, name: str, spool: Spool, stop: Callable[[], bool]) -> None:
        super().__init__(name)
        self.spool = spool
        self.stop_requested = stop

    def record(self, row: dict[str, float]) -> None:
        """Write a row to the spool."""
        values = {key: value for key, value in row.items() if key != "step"}
        self.spool.log_metrics(int(row["step"]), values)


def work(config: dict[str, Any]) -> None:
    """Train the specs one after the other; every worker of the group calls this."""
    import ray.train
    import ray.train.torch

    from structnets.training.run import run_spec

    roots: Roots = config["roots"]
    # Without processes of its own, Ray would take a GPU that nobody asked for.
    device = "cpu" if config["here"] else ray.train.torch.get_device()
    for spec in config["runs"]:
        if is_published(roots.out(spec), spec):
            continue
        spool = Spool(roots.spool(spec))
        if ray.train.get_context().get_world_rank() == 0:
            spool.append(config["openings"][run_id(spec)] | {"time": now()})
        try:
            result = run_spec(
                spec,
                roots.prepared / prepared_name(spec["data"]),
                roots.out(spec),
                roots.work(spec),
                reporter=SpoolReporter(run_id(spec), spool, config["stop"]),
                device=device,
                threads=config["threads"],
                extra=lambda spool=spool: {"mlflow_run_id": spool.state()[0]},
            )
        except StoppedError as stopped:
            logger.info("%s: %s", run_id(spec), stopped)
            return
        except (ValueError, FloatingPointError) as error:
            # It would fail again, so Ray is not let to retry; the driver tells.
            write_atomic(roots.error(spec), f"{error}\n")
            continue
        ray.train.report({"run_id": result["run_id"], **result["metrics"]})
