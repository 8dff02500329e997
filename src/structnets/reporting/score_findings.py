"""What a study of a score found, and what to beware of, in whole sentences."""

from __future__ import annotations

from structnets.reporting.score_results import ScoreResults
from structnets.reporting.score_warnings import scan_warnings
from structnets.reporting.study_findings import Findings
from structnets.specs.cohort_study import LINEAR


def score_findings(results: ScoreResults) -> Findings:
    """Return in whole sentences what to beware of, and what was found."""
    label = results.planned.study.label
    # Of those that are used: quality control may have left some of the plan out.
    warnings, said = scan_warnings(results.planned.study, results.subjects), []
    for row in results.rows:
        score = results.scores_by_row[row]
        low, high = score.intervals["mae"]
        told = (
            f"{row}: {label} of held-out scans is estimated {score.scores['mae']:.3g} off on "
            f"average (95 % interval {low:.3g} to {high:.3g})"
        )
        if "r" in score.scores:
            told += f"; the correlation of estimates and scores is {score.scores['r']:.2f}"
            if "r" in score.intervals:
                told += " ({:.2f} to {:.2f})".format(*score.intervals["r"])
        said.append(f"{told}.")
        if results.gain(row)[0] <= 0:
            warnings.append(
                f"{row} cannot be told from always saying the mean: the interval of what it gains "
                "over that holds 0."
            )
    mean = results.scores_by_row[results.baseline].scores["mae"]
    said.append(f"Always saying the mean of the people trained on would be {mean:.3g} off.")
    if LINEAR in results.rows:
        line = results.scores_by_row[LINEAR].scores["mae"]
        for row in (row for row in results.rows if row != LINEAR):
            if results.scores_by_row[row].scores["mae"] >= line:
                warnings.append(f"{row} is no better than the linear row.")
    return Findings(warnings, said)
