"""The report of a study that estimates a score: one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.pages import data_uri, page
from structnets.reporting.cohort_page import of_any_cohort
from structnets.reporting.pseudonyms import People
from structnets.reporting.score_results import ScoreResults
from structnets.reporting.study_findings import Findings

if TYPE_CHECKING:
    from structnets.analysis.input_gradients import Agreement

SCORE_COLUMNS = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "r2": "R²",
    "r": "correlation (Pearson)",
}


def score_page(
    results: ScoreResults,
    findings: Findings,
    subjects: Path,
    scatter: bytes,
    named: People,
    again: Sequence[str],
    maps: bytes | None = None,
    agreements: Mapping[str, Agreement] | None = None,
) -> str:
    """Write the report.

    Parameters
    ----------
    results : ScoreResults
        What was measured.
    scatter : bytes
        Estimates against scores, an SVG file.
    findings, subjects, named, again, maps, agreements
        As for `structnets.reporting.cohort_page.cohort_page`.

    Returns
    -------
    str
        HTML; whatever comes from the user's data is escaped.
    """
    label = results.planned.study.label
    return page(
        "structnets.reporting",
        "score_study.html",
        **of_any_cohort(results, findings, subjects, named, again, maps, agreements),
        scored=True,
        label=label,
        columns=SCORE_COLUMNS,
        number=score_number,
        scatter=data_uri(scatter, "image/svg+xml"),
        people={
            "people": len(set(results.people)),
            "scans": len(results.people),
            label: results.score_summary(),
            **results.traits(),
        },
    )


def score_number(key: str, value: float) -> str:
    """Write a number of the table: errors in the units of the score, the others without one."""
    if key in ("mae", "rmse"):
        return f"{value:.3g}"
    return f"{round(value, 2) + 0:.2f}"  # no minus before nothing
