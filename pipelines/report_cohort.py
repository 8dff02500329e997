"""Report a study of a cohort from the results of its runs, and write its files.

Called by `pipelines.report_study`, which knows what a study is of.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from structnets.analysis.input_gradients import Agreement, agreement, gradient_maps
from structnets.analysis.trained import load_run
from structnets.entries import foreign_paths
from structnets.figures.cohort_curves import draw_cohort_curves
from structnets.figures.cohort_maps import draw_cohort_maps, load_what_drawing_needs
from structnets.files import csv_text, write_atomic, write_json
from structnets.reporting.cohort_page import cohort_page
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.cohort_results import CohortResults
from structnets.reporting.held_out_results import HeldOutResults
from structnets.reporting.pseudonyms import People
from structnets.reporting.score_results import ScoreResults
from structnets.reporting.study_findings import Findings, cohort_findings
from structnets.specs.cohort_study import CohortRun


def report_cohort(planned: CohortPlan, prepared: Path, results: Path) -> dict[str, Path]:
    """Compute the numbers of a study of a cohort and write its files; return them by name.

    Raises
    ------
    OSError, ValueError
        If a run or the prepared cohort are missing, or of other content.
    """
    found = CohortResults.of_study(planned, prepared, results)
    drawn = _curves(found, folder_of(planned, results))
    svgs = [path.read_bytes() for path in drawn if path.suffix == ".svg"]
    more = {
        "classes": found.classes,
        "confusion": {row: score.confusion for row, score in found.scores_by_row.items()},
    }
    page = partial(cohort_page, found, curves=svgs)
    return write_report(found, cohort_findings(found), drawn, page, more, prepared, results)


def folder_of(planned: CohortPlan, results: Path) -> Path:
    """Return where the files of a study lie."""
    return results / "studies" / planned.name


def _people_of(planned: CohortPlan) -> People:
    """Return what the people of a study are called."""
    return People(
        (scan["subject"] for scan in planned.listed["scans"]),
        pseudonyms=planned.study.names == "pseudonyms",
    )


def _how_again(planned: CohortPlan, results: Path) -> list[str]:
    """Return the commands that make a study once more, and that ask its first net."""
    first = shlex.quote(os.path.relpath(results / "runs" / planned.runs[0].run_id))
    again = [
        f"snakemake --profile profiles/local study --config study={shlex.quote(str(planned.file))}"
    ]
    if not planned.study.regress_out:
        again.append(f"structnets predict {first} scan.nii.gz  # {planned.runs[0].row}, fold 1")
    return again


def _draw_maps(
    found: HeldOutResults, prepared: Path, results: Path, out: Path
) -> tuple[list[Path], bytes | None, dict[str, Agreement]]:
    """Draw the maps that are asked for; return files, the picture, and how well they agree."""
    study = found.planned.study
    if not (study.maps and _nets(found)):
        return [], None, {}
    with ThreadPoolExecutor(1) as aside:
        ready = aside.submit(load_what_drawing_needs)
        maps, agreements = _maps(found, prepared, results)
        ready.result()
    grid = (study.grid_mm, study.field_of_view)
    pictured = draw_cohort_maps(maps, *grid, out / "maps")
    return pictured, _read_png(pictured), agreements


def write_report(
    found: CohortResults | ScoreResults,
    told: Findings,
    drawn: Sequence[Path],
    page: Callable[..., str],
    more: Mapping[str, Any],
    prepared: Path,
    results: Path,
) -> dict[str, Path]:
    """Write the files of a report, and who is who, which is not logged; return them by name.

    Parameters
    ----------
    drawn : sequence of Path
        The pictures that the kind of study has.
    page : callable
        Makes the report of what all kinds have.
    more : mapping
        What ``results.json`` says besides.
    """
    planned, scores = found.planned, found.scores_by_row
    out, named = folder_of(planned, results), _people_of(planned)
    pictured, maps, agreements = _draw_maps(found, prepared, results, out)
    text = page(
        findings=told,
        subjects=prepared / "subjects" / planned.request.subjects_name(),
        named=named,
        again=_how_again(planned, results),
        maps=maps,
        agreements=agreements,
    )
    cells = [
        {"row": row, **score.scores, **{f"{k}_low": low for k, (low, _) in score.intervals.items()},
         **{f"{k}_high": high for k, (_, high) in score.intervals.items()},
         **{f"{k}_p": p for k, p in score.p.items()}}
        for row, score in scores.items()
    ]  # fmt: skip
    said = [{**one, "subject": named.names[one["subject"]]} for one in found.predictions()]
    texts = {"report.html": text, "results.csv": _csv(cells), "predictions.csv": _csv(said)}
    for name, content in texts.items():
        write_atomic(out / name, content)
    if named.pseudonyms:
        rows = [{"shown": shown, "subject": name} for name, shown in named.names.items()]
        write_atomic(out / "names.csv", _csv(rows))  # stays here: it is not logged
    write_json(
        out / "results.json",
        {
            "study": planned.name,
            "question": planned.study.question,
            "content": planned.request.content,
            "counts": found.source["counts"],
            "warnings": told.beware,
            "findings": told.said,
            "cells": cells,
            "by_fold": {row: score.by_fold for row, score in scores.items()},
            **more,
        },
    )
    pictures = {path.name: path for path in [*drawn, *pictured]}
    return {**pictures, **{name: out / name for name in [*texts, "results.json"]}}


def _curves(found: CohortResults, out: Path) -> list[Path]:
    """Draw ROC and calibration of the second of two classes, or of each of more against all others.

    They are of the first dealing of folds.
    """
    drawn: list[Path] = []
    of_two = len(found.classes) == 2
    for number, name in enumerate(found.classes):
        if of_two and not number:
            continue
        chances = {row: found.probabilities(row)[0, :, number] for row in found.rows}
        stem = out / ("curves" if of_two else f"curves_{number + 1}")
        labels = (found.labels == number).astype(int)
        drawn += draw_cohort_curves(labels, chances, stem, name)
    return drawn


def _nets(found: HeldOutResults) -> list[CohortRun]:
    """Return the runs that have gradients; linear rows have none."""
    return [run for run in found.planned.runs if run.spec["recipe"]["kind"] == "gradient"]


def _maps(
    found: HeldOutResults, prepared: Path, results: Path
) -> tuple[dict[str, np.ndarray], dict[str, Agreement]]:
    """Return the map of each net, the mean over its runs, and how much those of its runs agree.

    Each run is asked about the people that it held out.
    """
    nets = _nets(found)
    # The study is its user's own, and so is every object it names.
    trained = [
        load_run(results / "runs" / run.run_id, prepared, trusted=foreign_paths(run.spec))
        for run in nets
    ]
    of_row: dict[str, list[np.ndarray]] = {}
    asked = [(one.model, one.splits["test"]) for one in trained]
    for run, one in zip(nets, gradient_maps(asked), strict=True):
        of_row.setdefault(run.row, []).append(one)
    return (
        {row: np.mean(maps, axis=0) for row, maps in of_row.items()},
        {row: agreement(maps) for row, maps in of_row.items()},
    )


def _read_png(drawn: Sequence[Path]) -> bytes | None:
    return next((path.read_bytes() for path in drawn if path.suffix == ".png"), None)


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    return csv_text([*dict.fromkeys(key for row in rows for key in row)], rows)
