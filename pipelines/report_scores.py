"""Report a study that estimates a score from the results of its runs, and write its files.

Called by `pipelines.report_study`, which knows what a study is of.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipelines.report_cohort import folder_of, write_report
from structnets.figures.score_scatter import draw_score_scatter
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.score_findings import score_findings
from structnets.reporting.score_page import score_page
from structnets.reporting.score_results import ScoreResults


def report_scores(planned: CohortPlan, prepared: Path, results: Path) -> dict[str, Path]:
    """Compute the numbers of a study of a score and write its files; return them by name.

    Raises
    ------
    OSError, ValueError
        If a run or the prepared cohort are missing, or of other content.
    """
    found = ScoreResults.of_study(planned, prepared, results)
    first = {row: said[0] for row, said in found.estimates.items()}
    stem, label = folder_of(planned, results) / "scatter", planned.study.label
    drawn = draw_score_scatter(found.scores, first, stem, label)
    svg = next(path for path in drawn if path.suffix == ".svg")
    page = partial(score_page, found, scatter=svg.read_bytes())
    more = {"kind": "regression", "score": label}
    return write_report(found, score_findings(found), drawn, page, more, prepared, results)
