"""What MLflow holds of the runs, for the audit: records, and checksums of the stored bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipelines.tracking import artifacts, store
from pipelines.tracking.experiments import CHAPTERS, TARGETS
from pipelines.tracking.places import results_name

if TYPE_CHECKING:
    from mlflow import MlflowClient

# The tag that names a run, by kind. Trials of a sweep hold curves only, no artifacts.
_NAMES = ("run_id", "render_id", "sweep_id")
# A server answers that many requests at a time; one by one, the waiting is all the time there is.
_REQUESTS = 8

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class StoredRun:
    """A run in MLflow, with what its ``artifacts.json`` says.

    Parameters
    ----------
    name : str
        Run id, ``<target>-<preset>`` or sweep id.
    mlflow_run_id : str
        MLflow's own id.
    here : bool
        Whether it was made in this results folder, wherever that lay then.
    end_time : int
        Milliseconds since the epoch; 0 if it has not ended.
    artifacts : dict
        Name → {sha256, size, path, stored}; empty if none were logged.
    """

    name: str
    mlflow_run_id: str
    here: bool
    end_time: int
    artifacts: artifacts.Record
    client: MlflowClient

    def checksums(self) -> dict[str, str | None]:
        """Return name → SHA-256 that MLflow holds for each recorded artifact, None if it is gone.

        Bytes are read from the artifact store and hashed now; large files have only their
        recorded checksum.
        """
        stored = artifacts.stored_checksums(self.client, self.mlflow_run_id)
        return {
            name: stored.get(name) if entry["stored"] == "bytes" else entry["sha256"]
            for name, entry in self.artifacts.items()
        }


def side_by_side(ask: Callable[[Item], Answer], items: Iterable[Item]) -> list[Answer]:
    """Ask MLflow about several items at a time; answers come in the order of the items."""
    with ThreadPoolExecutor(_REQUESTS) as pool:
        return list(pool.map(ask, items))


def stored_runs(uri: str | None, results: str | os.PathLike[str]) -> Iterator[StoredRun]:
    """Yield every run, rendering and sweep that MLflow holds.

    Nothing if the embedded store does not exist (and none is made).

    Raises
    ------
    Exception
        Whatever MLflow raises when it cannot be reached.
    """
    where = store.resolve_uri(uri, results)
    if not store.exists(where):
        return
    client = store.connect(where, results)
    runs = []
    for run in store.all_runs(client, (*CHAPTERS, TARGETS)):
        name = next((run.data.tags[tag] for tag in _NAMES if tag in run.data.tags), None)
        if name is not None:
            runs.append((name, run))
    # The tag `results` is of earlier versions.
    ours = {"results_name": results_name(results), "results": str(Path(results).resolve())}
    embedded = store.is_embedded(where, results)
    records = side_by_side(lambda named: artifacts.recorded(client, named[1].info.run_id), runs)
    for (name, run), record in zip(runs, records, strict=True):
        yield StoredRun(
            name=name,
            mlflow_run_id=run.info.run_id,
            here=embedded or any(run.data.tags.get(tag) == value for tag, value in ours.items()),
            end_time=run.info.end_time or 0,
            artifacts=record or {},
            client=client,
        )
