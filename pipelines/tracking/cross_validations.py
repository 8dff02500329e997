"""A cross-validation in MLflow: the folds of one cell below a run that has their pooled scores."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.tracking import descriptions, lines
from pipelines.tracking.parameters import chosen
from pipelines.tracking.shipping import Shipper
from pipelines.tracking.spool import Spool
from structnets.files import read_json
from structnets.identity import chapter_name, data_variant, short_name
from structnets.reporting.numbers import spent_s
from structnets.reporting.requests import cell_key
from structnets.specs.resolved import ResolvedSpec


@dataclass(frozen=True)
class CrossValidation:
    """The runs of a cell that each hold out one fold.

    Parameters
    ----------
    spec : dict
        Resolved spec of one of them.
    cell : str
        ``target/row/column``.
    run_ids : sequence of str
        The runs.
    scores : mapping
        Metric → value, pooled or the mean over the runs.
    pooled : bool
        Whether the scores are pooled.
    """

    spec: ResolvedSpec
    cell: str
    run_ids: Sequence[str]
    scores: Mapping[str, float]
    pooled: bool

    @property
    def name(self) -> str:
        """What the run above the folds is called: as its runs, without a seed."""
        model, data = (short_name(self.spec[part]["name"]) for part in ("model", "data"))
        variant = data_variant(self.spec)
        return f"{model}-{data}-{variant}-folds-{cell_key(self.spec)[:8]}"


def log_cross_validation(
    uri: str | None,
    results: str | os.PathLike[str],
    found: CrossValidation,
    spool: str | os.PathLike[str],
    timeout: float = 60.0,
) -> bool:
    """Log the run above the folds of a cell, and put those of them that MLflow has below it.

    Returns
    -------
    bool
        Whether MLflow has it all; if not, `flush` sends it later.
    """
    identity = lines.Identity(
        chapter_name(found.spec.get("chapter")), "cross_validation", found.name
    )
    shared = chosen(found.spec)
    shared.pop("seed", None)
    target = found.cell.partition("/")[0]
    note = descriptions.of_cross_validation(
        found.spec, found.cell, len(found.run_ids), found.pooled
    )
    tags = {f"target.{target}": "true", "pooled": found.pooled}
    begun, ended = _course(found.run_ids, Path(results))
    record = Spool(spool)
    record.append(lines.open_line(identity, shared, tags, results=results, note=note, at=begun))
    record.append(lines.metrics_line(lines.now(), found.scores))
    record.append(lines.children_line("run_id", found.run_ids))
    record.append(lines.finish_line("FINISHED", ended))
    record.close()
    return Shipper(record, uri, results).ship(timeout)


def _course(run_ids: Sequence[str], results: Path) -> tuple[int | None, int | None]:
    """Return when the first of the runs that lie here began, and when the last ended."""
    files = [results / "runs" / run / "result.json" for run in run_ids]
    ends = {file: file.stat().st_mtime for file in files if file.is_file()}
    if not ends:
        return None, None
    begun = min(end - spent_s(read_json(file)) for file, end in ends.items())
    return int(1000 * begun), int(1000 * max(ends.values()))
