"""Report a study that estimates a score from the results of its runs, and write its files.

Called by `pipelines.report_study`, which knows what a study is of.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.report_cohort import draw_maps, how_again, people_of, write_report
from structnets.data.prepared.manifest import load_manifest
from structnets.figures.cohort_scatter import draw_cohort_scatter
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.score_findings import score_findings
from structnets.reporting.score_page import score_page
from structnets.reporting.score_results import MEAN, collect_scores


def report_scores(planned: CohortPlan, prepared: Path, results: Path) -> dict[str, Path]:
    """Compute the numbers of a study of a score and write its files; return them by name.

    Raises
    ------
    OSError, ValueError
        If a run or the prepared cohort are missing, or of other content.
    """
    folder = prepared / planned.prepared
    found = collect_scores(planned, load_manifest(folder), folder, results)
    out, named = results / "studies" / planned.name, people_of(planned)
    first = {row: said[0] for row, said in found.estimates.items()}
    drawn = draw_cohort_scatter(found.scores, first, out / "scatter", planned.study.label)
    svg = next(path for path in drawn if path.suffix == ".svg")
    pictured, maps, agreements = draw_maps(found, prepared, results, out)
    told = score_findings(found)
    subjects = prepared / "subjects" / planned.request.subjects_name()
    again = how_again(planned, results)
    page = score_page(found, told, subjects, svg.read_bytes(), named, again, maps, agreements)
    scores = {**{row: found.score(row) for row in found.rows}, MEAN: found.mean_row}
    more = {"kind": "regression", "score": planned.study.label}
    files = write_report(found, told, scores, page, named, out, more)
    return {**{path.name: path for path in [*drawn, *pictured]}, **files}
