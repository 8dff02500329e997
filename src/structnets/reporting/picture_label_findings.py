"""What a study of pictures with labels found, and what to beware of, in whole sentences."""

from __future__ import annotations

from structnets.reporting.picture_label_results import PictureLabelResults
from structnets.reporting.study_findings import (
    Findings,
    of_seeds,
    of_tested_groups,
    of_unread,
    over_other_groups,
    shown,
)
from structnets.specs.study import RATES

_FEW_TESTED, _UNLIKELY = 200, 0.05


def picture_label_findings(results: PictureLabelResults) -> Findings:
    """Return in whole sentences what to beware of, and what was found, of the largest size."""
    size = results.sizes[-1]
    scores = {row: results.measures(row, size) for row in results.all_rows}
    beware = [*results.planned.gathered.warnings, *of_unread(results)]
    if results.tested < _FEW_TESTED:
        beware.insert(
            0,
            f"Only {results.tested} pictures were tested: other pictures of the same kind may give "
            "quite another precision, which the intervals over seeds do not tell.",
        )
    beware = [*of_tested_groups(results), *beware]
    beware += of_seeds([scores[row]["map"] for row in results.rows])
    said = []
    for row in results.rows:
        found = scores[row]
        said.append(
            f"Trained on {size:,} pictures, {row} reaches a mean average precision of "
            f"{shown(found['map'])} over the {len(results.labels)} labels of the "
            f"{results.tested:,} tested ones; of {found['exact_match'].mean:.1f} % of them it "
            "tells all labels rightly."
            + over_other_groups(
                results.interval_over_groups(row, size), "reach a mean of {} to {} %", ".1f"
            )
        )
        if results.undecidable:
            continue
        chance = results.by_chance(row, size)
        if chance > _UNLIKELY:
            beware.append(
                f"{row} cannot be told from knowing nothing: in {100 * chance:.0f} % of cases its "
                "answers reach as high a mean average precision when they are shuffled among the "
                f"tested {'groups' if results.grouped else 'pictures'}."
            )
    least = scores[RATES]
    said.append(
        "Always answering how frequent each label is in training has a mean average precision of "
        f"{least['map'].mean:.1f} %, and tells all labels of {least['exact_match'].mean:.1f} % "
        "rightly."
    )
    return Findings(beware, said)
