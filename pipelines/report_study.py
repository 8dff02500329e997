"""Report a study from the results of its runs, and log the report to MLflow.

Command: ``python -m pipelines.report_study --study my.yaml --list LIST.json --prepared DIR
--results DIR --scratch DIR``
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.report_cohort import report_cohort
from pipelines.report_scores import report_scores
from pipelines.stage import absolute, run_stage, stage_parser
from pipelines.tracking.made_target import log_made
from structnets.data.prepared.manifest import load_manifest
from structnets.figures.study_curve import draw_study_curve
from structnets.files import csv_text, write_atomic, write_json
from structnets.identity import prepared_name
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.studies import plan_any_study
from structnets.reporting.study_findings import findings
from structnets.reporting.study_page import study_page
from structnets.reporting.study_plan import PINNED, StudyPlan
from structnets.reporting.study_results import StudyResults, collect_results
from structnets.specs.configuration import Configuration

log = logging.getLogger("report_study")


def report_study(planned: StudyPlan, prepared: Path, results: Path) -> dict[str, Path]:
    """Compute the numbers of a study and write its files; return them by name.

    Raises
    ------
    OSError, ValueError
        If a run or the prepared pictures are missing, or of other content.
    """
    folder = prepared / prepared_name(planned.runs[0].spec["data"])
    found = collect_results(planned, results, load_manifest(folder))
    out = results / "studies" / planned.name
    naming = _naming(found)
    curve = draw_study_curve(
        _curves(found), found.majority, "mean over seeds, 95 % interval", out / "accuracy"
    )
    svg = next(path for path in curve if path.suffix == ".svg")
    cells = found.cells()
    told = findings(found)
    files = {path.name: path for path in curve}
    for name, text in {
        "report.html": study_page(
            found, told, folder, svg.read_bytes(), naming, _again(found, results)
        ),
        "results.csv": _csv(cells),
    }.items():
        write_atomic(out / name, text)
        files[name] = out / name
    if planned.study.names == "pseudonyms":
        rows = [{"shown": shown, "file": name} for name, shown in naming.shown.items()]
        write_atomic(out / "names.csv", _csv(rows))
    write_json(
        out / "results.json",
        {
            "study": planned.name,
            "question": planned.study.question,
            "content": planned.gathered.pictures.digest,
            "warnings": told.beware,
            "findings": told.said,
            "cells": cells,
        },
    )
    return {**files, "results.json": out / "results.json"}


def _naming(found: StudyResults) -> Naming:
    gathered = found.planned.gathered
    names = [picture.name for picture in gathered.pictures.pictures]
    names += [name for name, _ in gathered.left_out]
    return Naming.of(names, found.planned.study.names == "pseudonyms")


def _curves(found: StudyResults) -> dict[str, list[tuple[int, float, float, float]]]:
    curves = {}
    for row in found.rows:
        scores = {size: found.score(row, size) for size in found.sizes}
        curves[row] = [
            (
                size,
                score.mean,
                score.mean if score.low is None else score.low,
                score.mean if score.high is None else score.high,
            )
            for size, score in scores.items()
        ]
    return curves


def _again(found: StudyResults, results: Path) -> list[str]:
    study = shlex.quote(f"study={found.planned.file}")
    run = found.cells()[-len(found.rows)]["run_ids"][0]
    folder = shlex.quote(os.path.relpath(results / "runs" / run))
    return [
        f"snakemake --profile profiles/local study --config {study}",
        f"structnets predict {folder} picture.jpg",
        f"structnets export {folder} --format torch --out net.pt2",
    ]


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    joined = [
        {k: " ".join(v) if isinstance(v, list) else v for k, v in row.items()} for row in rows
    ]
    return csv_text([*rows[0]], joined)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__, "prepared", "results", "scratch")
    parser.add_argument("--study", type=absolute, required=True, help="YAML file of the study")
    parser.add_argument("--list", type=absolute, required=True, help="list of its pictures")
    given = parser.parse_args(arguments)

    def action() -> None:
        os.environ[PINNED] = str(given.list)
        planned = plan_any_study(Configuration(study=str(given.study), scratch=str(given.scratch)))
        assert planned is not None
        if isinstance(planned, CohortPlan) and planned.study.regression:
            files = report_scores(planned, given.prepared, given.results)
        elif isinstance(planned, CohortPlan):
            files = report_cohort(planned, given.prepared, given.results)
        else:
            files = report_study(planned, given.prepared, given.results)
        for path in files.values():
            log.info("wrote %s", path)
        runs = [run.run_id for run in planned.runs]
        log_made(planned.name, "small", files, runs, given.results, given.scratch)

    return run_stage("report_study", action)


if __name__ == "__main__":
    sys.exit(main())
