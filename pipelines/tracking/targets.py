"""A rendered target in MLflow: one run per target and preset, linked to the runs it used."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.tracking import lines
from pipelines.tracking.experiments import TARGETS
from pipelines.tracking.shipping import Shipper
from pipelines.tracking.spool import Spool


def log_target(
    uri: str | None,
    results: str | os.PathLike[str],
    target: str,
    *,
    preset: str,
    files: Mapping[str, str | os.PathLike[str]],
    run_ids: Sequence[str],
    spool: str | os.PathLike[str],
    tags: Mapping[str, Any] | None = None,
    note: str = "",
    metrics: Mapping[str, float] | None = None,
    timeout: float = 60.0,
) -> bool:
    """Log a rendering: its files, and links from and to the training runs it used.

    Parameters
    ----------
    uri : str or None
        Tracking URI; None takes the environment's, else the embedded store.
    results : path
        Root of the results.
    target, preset : str
        ``figure6``, ``small``. The run of an earlier rendering of the same is found and its
        files are replaced.
    files : mapping
        Name → file: the tables and figures.
    run_ids : sequence of str
        Training runs in the target; each found in MLflow gets the tag ``target.<target>=true``.
    spool : path
        ``<scratch>/targets/<target>-<preset>/spool``.
    tags : mapping, optional
        Anything else worth showing. Tags, not parameters: they may differ in the next rendering.
    note : str
        Description, in Markdown; links to the training runs follow it.
    metrics : mapping, optional
        Its numbers by name, a cell as ``row/column``.
    timeout : float
        Seconds after which what is left waits in the spool.

    Returns
    -------
    bool
        Whether MLflow has it all; if not, `flush` sends it later.
    """
    record = Spool(spool)
    identity = lines.Identity(TARGETS, "render_id", f"{target}-{preset}")
    params = {"target": target, "preset": preset}
    told = params | dict(tags or {})
    record.append(lines.open_line(identity, params, told, results=results, note=note))
    if metrics:
        # The latest rendering counts: a later time is a later step.
        record.append(lines.metrics_line(lines.now(), metrics))
    record.append(lines.files_line(files, results, replace=True))
    record.append(lines.links_line(target, run_ids, note))
    record.append(lines.finish_line("FINISHED"))
    record.close()
    return Shipper(record, uri, results).ship(timeout)
