"""What a study of pictures with scores found, and what to beware of, in whole sentences."""

from __future__ import annotations

from structnets.reporting.picture_results import Measured
from structnets.reporting.picture_score_results import PictureScoreResults
from structnets.reporting.study_findings import (
    Findings,
    of_seeds,
    of_tested_groups,
    of_unread,
    over_other_groups,
)
from structnets.specs.study import LINEAR, MEAN

_FEW_TESTED = 50


def picture_score_findings(results: PictureScoreResults) -> Findings:
    """Return in whole sentences what to beware of, and what was found, of the largest size."""
    size, label = results.sizes[-1], results.planned.study.label_column
    errors = {row: results.main(row, size) for row in results.all_rows}
    beware = [*results.planned.gathered.warnings, *of_unread(results)]
    if results.tested < _FEW_TESTED:
        beware.insert(
            0,
            f"Only {results.tested} pictures were tested: other pictures of the same kind may give "
            "quite other errors, which the intervals over seeds do not tell.",
        )
    beware = [*of_tested_groups(results), *beware]
    beware += of_seeds([errors[row] for row in results.rows])
    said = []
    for row in results.rows:
        told = (
            f"Trained on {size:,} pictures, {row} estimates {label} of the {results.tested:,} "
            f"tested ones with a mean absolute error of {shown_error(errors[row])}"
        )
        correlation = results.score(row, size, "r")
        if correlation is not None:
            told += f"; the correlation of estimates and scores is {correlation.mean:.2f}"
        ends = results.interval_over_groups(row, size)
        said.append(f"{told}.{over_other_groups(ends, 'be off by {} to {}', '.3g')}")
        gain = results.gain(row, size)
        if gain is not None and gain[0] <= 0:
            beware.append(
                f"{row} cannot be told from always saying the mean: the interval of what it gains "
                "over that holds 0."
            )
    said.append(
        f"Always saying the mean of the pictures trained on would be {errors[MEAN].mean:.3g} off "
        "on average."
    )
    for row in (row for row in results.rows if row != LINEAR and LINEAR in errors):
        if errors[row].mean >= errors[LINEAR].mean:
            beware.append(f"{row} is no better than the linear row.")
    return Findings(beware, said)


def shown_error(score: Measured) -> str:
    """Write a mean error with its interval in words.

    Examples
    --------
    >>> shown_error(Measured(1.25, 1.0, 1.5, 3))
    '1.25 (95 % interval 1 to 1.5, 3 seeds)'
    """
    if score.low is None or score.high is None:
        why = "one seed" if score.n == 1 else f"{score.n} seeds, all alike"
        return f"{score.mean:.3g} ({why}: no interval)"
    ends = f"{score.low:.3g} to {score.high:.3g}"
    return f"{score.mean:.3g} (95 % interval {ends}, {score.n} seeds)"
