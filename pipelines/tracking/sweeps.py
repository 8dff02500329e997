"""A sweep in MLflow: a parent run with one child per trial."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.tracking import descriptions, lines, views
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
    curve : sequence of (step, {metric: value}, time)
        Its metrics by step, in rising order, and when each was measured, in milliseconds since
        the epoch.
    status : str
        ``FINISHED``, ``FAILED`` or ``KILLED``.
    tags : mapping
        Anything else, such as ``{"stopped_early": True}``.
    begun : int or None
        When it began, in milliseconds since the epoch; None if it never did.
    """

    name: str
    params: Mapping[str, Any]
    curve: Sequence[tuple[int, Mapping[str, float], int]] = ()
    status: str = "FINISHED"
    tags: Mapping[str, Any] = field(default_factory=dict)
    begun: int | None = None

    @property
    def ended(self) -> int | None:
        """When its last value was measured, in milliseconds since the epoch."""
        return self.curve[-1][2] if self.curve else self.begun


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
    note: str = "",
    best: Trial | None = None,
    metric: str | None = None,
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
        Tags of the parent (``target.…``).
    note : str
        Description of the parent, in Markdown.
    best : Trial, optional
        The trial whose parameters and last metrics are those of the parent too.
    metric : str, optional
        By which trials are ranked: a saved view shows it over what was tried.
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
    begun = min((trial.begun for trial in trials if trial.begun is not None), default=None)
    own = lines.flatten(params) | lines.flatten(best.params if best else {})
    record.append(lines.open_line(parent, own, tags or {}, results=results, note=note, at=begun))
    if best is not None and best.curve:
        step, values, at = best.curve[-1]
        record.append(lines.metrics_line(step, values, at))
    record.append(lines.files_line(files, results, replace=True))
    if metric is not None:
        view = views.of_sweep(sweep_id, _varied(trials), metric, begun or lines.now())
        record.append(lines.view_line(view))
    record.append(lines.finish_line(status))
    record.close()
    children = [_record_trial(trial, parent, params, results, Path(spool)) for trial in trials]
    # One that fails (the server is away) fails for all: do not wait once for each.
    return all(
        Shipper(each, uri, results).ship(max(0.0, until - time.monotonic()))
        for each in [record, *children]
    )


def _varied(trials: Sequence[Trial]) -> list[str]:
    """Return the parameters that differ between trials."""
    found = [lines.flatten(trial.params) for trial in trials]
    names = dict.fromkeys(name for params in found for name in params)
    return [name for name in names if len({params.get(name) for params in found}) > 1]


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
    note = descriptions.of_trial(parent.value, trial.name, trial.params)
    record = Spool(spool / "trials" / trial.name)
    record.append(
        lines.open_line(
            identity, own, tags, results=results, parent=parent, note=note, at=trial.begun
        )
    )
    for step, values, at in trial.curve:
        record.append(lines.metrics_line(step, values, at))
    record.append(lines.finish_line(trial.status, trial.ended))
    record.close()
    return record
