"""A sweep in MLflow: a parent run with one child per trial."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.tracking import lines
from pipelines.tracking.shipping import Shipper
from pipelines.tracking.spool import Spool


@dataclass(frozen=True)
class Trial:
    """One trial of a sweep.

    Parameters
    ----------
    name : str
        Unique in its sweep and the same when the sweep is resumed, such as ``t007``.
    params : mapping
        What this trial tried; nested mappings are flattened.
    curve : sequence of (step, {metric: value})
        Its metrics by step, in rising order.
    status : str
        ``FINISHED``, ``FAILED`` or ``KILLED``.
    tags : mapping
        Anything else, such as ``{"stopped_early": True}``.
    """

    name: str
    params: Mapping[str, Any]
    curve: Sequence[tuple[int, Mapping[str, float]]] = ()
    status: str = "FINISHED"
    tags: Mapping[str, Any] = field(default_factory=dict)


def log_sweep(
    uri: str | None,
    results: str | os.PathLike[str],
    experiment: str,
    sweep_id: str,
    *,
    params: Mapping[str, Any],
    trials: Sequence[Trial],
    files: Mapping[str, str | os.PathLike[str]],
    spool: str | os.PathLike[str],
    tags: Mapping[str, Any] | None = None,
    status: str = "FINISHED",
    timeout: float = 120.0,
) -> bool:
    """Log a sweep; done again (after a resumed sweep), it adds what is new and repeats nothing.

    Parameters
    ----------
    uri : str or None
        Tracking URI; None takes the environment's, else the embedded store.
    results : path
        Root of the results.
    experiment : str
        ``chapter3`` …
    sweep_id : str
        Identity of the parent run.
    params : mapping
        What all trials share (model, data, seed). Children carry them too, since MLflow's page
        shows them apart from their parent.
    trials : sequence of Trial
        Keep them below about 200: more flood the page.
    files : mapping
        Name → file: ``trials.csv``, ``best.json``, the heat map.
    spool : path
        ``<scratch>/sweeps/<sweep_id>/spool``; each trial has its own below it.
    tags : mapping, optional
        Tags of the parent (the best values, ``target.…``).
    status : str
        How the sweep ended.
    timeout : float
        Seconds after which what is left waits in the spools.

    Returns
    -------
    bool
        Whether MLflow has it all; if not, `flush` sends it later.
    """
    until = time.monotonic() + timeout
    parent = lines.Identity(experiment, "sweep_id", sweep_id)
    record = Spool(spool)
    record.append(lines.open_line(parent, params, tags or {}, results=results))
    record.append(lines.files_line(files, results, replace=True))
    record.append(lines.finish_line(status))
    record.close()
    children = [_record_trial(trial, parent, params, results, Path(spool)) for trial in trials]
    # One that fails (the server is away) fails for all: do not wait once for each.
    return all(
        Shipper(each, uri, results).ship(max(0.0, until - time.monotonic()))
        for each in [record, *children]
    )


def _record_trial(
    trial: Trial,
    parent: lines.Identity,
    params: Mapping[str, Any],
    results: str | os.PathLike[str],
    spool: Path,
) -> Spool:
    identity = lines.Identity(parent.experiment, "trial_id", f"{parent.value}/{trial.name}")
    own = lines.flatten(params) | lines.flatten(trial.params)
    tags = {"sweep": parent.value, **trial.tags}
    record = Spool(spool / "trials" / trial.name)
    record.append(lines.open_line(identity, own, tags, results=results, parent=parent))
    # Times a millisecond apart keep the order of a curve that was logged all at once.
    start = lines.now()
    for offset, (step, values) in enumerate(trial.curve):
        record.append(lines.metrics_line(step, values, at=start + offset))
    record.append(lines.finish_line(trial.status))
    record.close()
    return record
