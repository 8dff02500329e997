"""What a reader must know of the scores of a cohort before any number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from structnets.metrics.score_warnings import check_scores, score_warnings
from structnets.specs.cohort_study import CohortStudy


def refuse_without_spread(study: CohortStudy, scans: Sequence[Mapping[str, Any]]) -> None:
    """Refuse scores of one value, or of two, as `structnets.metrics.score_warnings` does."""
    check_scores([scan["label"] for scan in scans], study.label)


def scan_warnings(study: CohortStudy, scans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a reader must know."""
    of = {scan["subject"]: float(scan["label"]) for scan in scans}
    found = score_warnings(study.label, list(of.values()), "people")
    if len(scans) > len(of):
        found.append(
            f"{len(scans)} scans are of {len(of)} people; those of one are held out together, and "
            "scores count scans."
        )
    return found
