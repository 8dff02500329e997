"""Report a study from the results of its runs, and log the report to MLflow.

Command: ``python -m pipelines.report_study --study my.yaml --list LIST.json --prepared DIR
--results DIR --scratch DIR``
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.report_cohort import report_cohort
from pipelines.report_scores import report_scores
from pipelines.stage import absolute, run_stage, stage_parser
from pipelines.tracking.made_target import log_made
from structnets.figures.score_scatter import draw_score_scatter
from structnets.figures.study_curve import Point, draw_study_curve
from structnets.files import csv_text, write_atomic, write_json
from structnets.identity import prepared_name
from structnets.reporting.answered_results import AnsweredResults
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.picture_label_findings import picture_label_findings
from structnets.reporting.picture_label_page import picture_label_page
from structnets.reporting.picture_label_results import PictureLabelResults
from structnets.reporting.picture_results import Measured, PictureResults
from structnets.reporting.picture_score_findings import picture_score_findings
from structnets.reporting.picture_score_page import picture_score_page
from structnets.reporting.picture_score_results import PictureScoreResults
from structnets.reporting.pseudonyms import Naming
from structnets.reporting.studies import plan_any_study
from structnets.reporting.study_findings import Findings, findings
from structnets.reporting.study_page import study_page
from structnets.reporting.study_plan import PINNED, StudyPlan
from structnets.reporting.study_results import StudyResults
from structnets.specs.configuration import Configuration

log = logging.getLogger("report_study")
_BARS = "mean over seeds, 95 % interval"


def report_study(planned: StudyPlan, prepared: Path, results: Path) -> dict[str, Path]:
    """Compute the numbers of a study and write its files; return them by name.

    Raises
    ------
    OSError, ValueError
        If a run or the prepared pictures are missing, or of other content.
    """
    folder = prepared / prepared_name(planned.runs[0].spec["data"])
    out = results / "studies" / planned.name
    if planned.study.kind == "regression":
        return _report_scores(PictureScoreResults.of_study(planned, folder, results), out)
    if planned.study.kind == "multilabel":
        return _report_labels(PictureLabelResults.of_study(planned, folder, results), out)
    return _report_classes(StudyResults.of_study(planned, folder, results), out)


def _report_classes(found: StudyResults, out: Path) -> dict[str, Path]:
    naming, told = _naming(found), findings(found)
    drawn = draw_study_curve(
        {row: [_point(size, found.score(row, size)) for size in found.sizes] for row in found.rows},
        f"right answers, %\n{_BARS}",
        out / "accuracy",
        beside={"most frequent class": found.majority},
        top=103,
    )
    page = study_page(found, told, _drawn(drawn, ".svg"), naming, _again(found, out))
    size = found.sizes[-1]
    more = {
        "classes": found.classes,
        "confusion": {row: found.confusion(row, size).tolist() for row in found.rows},
    }
    return _write(found, told, drawn, naming, {"report.html": page}, more, out)


def _report_scores(found: PictureScoreResults, out: Path) -> dict[str, Path]:
    naming, told = _naming(found), picture_score_findings(found)
    size, label = found.sizes[-1], found.planned.study.label_column
    drawn = draw_study_curve(
        {row: [_point(n, found.main(row, n)) for n in found.sizes] for row in found.all_rows},
        f"mean absolute error of {label}\n{_BARS}",
        out / "error",
    )
    estimates = {row: found.mean_answers(row, size) for row in found.rows}
    scatter = draw_score_scatter(found.truth, estimates, out / "scatter", label)
    pictures = _drawn(drawn, ".svg"), _drawn(scatter, ".png")
    page = picture_score_page(found, told, *pictures, naming, _again(found, out))
    said = [{**one, "picture": naming(one["picture"])} for one in found.predictions()]
    texts = {"report.html": page, "predictions.csv": _csv(said)}
    more = {"kind": "regression", "score": label}
    return _write(found, told, [*drawn, *scatter], naming, texts, more, out)


def _report_labels(found: PictureLabelResults, out: Path) -> dict[str, Path]:
    naming, told = _naming(found), picture_label_findings(found)
    drawn = draw_study_curve(
        {row: [_point(n, found.main(row, n)) for n in found.sizes] for row in found.rows},
        f"mean average precision, %\n{_BARS}",
        out / "precision",
        beside={found.beside: found.main(found.beside, found.sizes[-1]).mean},
        top=103,
    )
    page = picture_label_page(found, told, _drawn(drawn, ".svg"), naming, _again(found, out))
    said = [{**one, "picture": naming(one["picture"])} for one in found.predictions()]
    each = found.each_label()
    texts = {"report.html": page, "labels.csv": _csv(each), "predictions.csv": _csv(said)}
    more = {"kind": "multilabel", "labels": each}
    return _write(found, told, drawn, naming, texts, more, out)


def _write(
    found: StudyResults | AnsweredResults,
    told: Findings,
    drawn: Sequence[Path],
    naming: Naming,
    texts: Mapping[str, str],
    more: Mapping[str, Any],
    out: Path,
) -> dict[str, Path]:
    """Write the files of a report, and which picture is which, which is not logged."""
    planned, cells = found.planned, found.cells()
    texts = {**texts, "results.csv": _csv(cells)}
    for name, text in texts.items():
        write_atomic(out / name, text)
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
            **more,
        },
    )
    files = {name: out / name for name in [*texts, "results.json"]}
    return {**{path.name: path for path in drawn}, **files}


def _naming(found: PictureResults) -> Naming:
    gathered = found.planned.gathered
    names = [picture.name for picture in gathered.pictures.pictures]
    names += [name for name, _ in gathered.left_out]
    return Naming.of(names, found.planned.study.names == "pseudonyms")


def _point(size: int, score: Measured) -> Point:
    low = score.mean if score.low is None else score.low
    return size, score.mean, low, score.mean if score.high is None else score.high


def _drawn(files: Sequence[Path], ending: str) -> bytes:
    return next(path.read_bytes() for path in files if path.suffix == ending)


def _again(found: PictureResults, out: Path) -> list[str]:
    study = shlex.quote(f"study={found.planned.file}")
    run = found.run_ids(found.rows[0], found.sizes[-1])[0]
    folder = shlex.quote(os.path.relpath(out.parent.parent / "runs" / run))
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
