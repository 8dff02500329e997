"""What a study found, and what to beware of, in whole sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from structnets.reporting.cohort_plan import NO_LINEAR, class_warnings, percent
from structnets.reporting.cohort_results import CohortResults
from structnets.reporting.picture_results import Measured, PictureResults
from structnets.reporting.study_results import StudyResults
from structnets.specs.cohort_study import LINEAR

_FEW_TESTED, _FEW_GROUPS = 200, 10


class Findings(NamedTuple):
    """What to beware of, and what was found."""

    beware: list[str]
    said: list[str]


def findings(results: StudyResults) -> Findings:
    """Return in whole sentences what to beware of, and what was found, of the largest size."""
    size, tested = results.sizes[-1], results.tested
    scores = {row: results.score(row, size) for row in results.rows}
    beware = [*results.planned.gathered.warnings, *of_unread(results)]
    best = max(scores, key=lambda row: scores[row].mean)
    ends = results.interval(best, size)
    if tested < _FEW_TESTED and ends is not None:
        beware.insert(
            0,
            f"Only {tested} pictures were tested: one of them is {100 / tested:.1f} points. From "
            f"so few, {scores[best].mean:.1f} % could as well be {ends[0]:.0f} to {ends[1]:.0f} % "
            "in other pictures of the same kind.",
        )
    beware = [*of_tested_groups(results), *beware]
    beware += of_seeds(list(scores.values()))
    said = [
        f"Trained on {size:,} pictures, {row} gives the right answer to {shown(score)} of the "
        f"{tested:,} tested ones."
        + over_other_groups(
            results.interval_over_groups(row, size), "be right in {} to {} %", ".1f"
        )
        for row, score in scores.items()
    ]
    said.append(
        f"Always answering the class that is most frequent in training would be right in "
        f"{results.majority:.1f} %."
    )
    beware += [
        f"{row} cannot be told from always giving the most frequent answer."
        for row in scores
        if not results.undecidable and not results.above_majority(row, size)
    ]
    return Findings(beware, said)


def of_tested_groups(results: PictureResults) -> list[str]:
    """Say of how many groups the tested pictures are, if some belong together."""
    count = results.group_count
    if not results.grouped:
        return []
    said = (
        f"The {results.tested:,} tested pictures are of {count:,} group{'s' * (count > 1)}: those "
        "that belong together, or are identical, count as one where it is said how sure a number "
        "is."
    )
    if results.undecidable:
        said += (
            " From fewer than three groups nothing can be said of others: no row is called better "
            "than another, or than knowing nothing."
        )
    elif count < _FEW_GROUPS:
        said += " Intervals of so few groups are hardly to be trusted: test more groups."
    return [said]


def over_other_groups(ends: tuple[float, float] | None, words: str, form: str) -> str:
    """Write the interval over groups in a sentence that follows another, if there is one.

    Examples
    --------
    >>> over_other_groups((60.04, 80.0), "be right in {} to {} %", ".1f")
    ' In other groups it could as well be right in 60.0 to 80.0 % (95 %).'
    """
    if ends is None:
        return ""
    told = words.format(*(format(end, form) for end in ends))
    return f" In other groups it could as well {told} (95 %)."


def of_unread(results: PictureResults) -> list[str]:
    """Say how many files were no pictures, if any."""
    broken = results.manifest["quarantined"]
    said = f"{len(broken)} files could not be read as pictures and were left out."
    return [said] if broken else []


def of_seeds(scores: Sequence[Measured]) -> list[str]:
    """Say that there are too few seeds, if so."""
    count = min(score.n for score in scores)
    said = (
        f"Each row was trained with {count} seed{'s' if count > 1 else ''} only: how much chance "
        "does cannot be told well. Give seeds: 3 or more."
    )
    return [said] if count < 3 else []


def shown(score: Measured, unit: str = " %") -> str:
    """Write a mean with its interval in words."""
    if score.low is None or score.high is None:
        why = "one seed" if score.n == 1 else f"{score.n} seeds, all alike"
        return f"{score.mean:.1f}{unit} ({why}: no interval)"
    return (
        f"{score.mean:.1f}{unit} (95 % interval {score.low:.1f} to {score.high:.1f}, "
        f"{score.n} seeds)"
    )


def verdict(first: str, other: str, found: Measured, undecidable: bool = False) -> str:
    """Say which of two rows is better, from their difference with its interval."""
    if undecidable:
        return "none: fewer than three groups were tested"
    if found.low is None or found.high is None:
        return "undecided: one seed, or all alike"
    if found.low > 0:
        return f"{first} is better"
    if found.high < 0:
        return f"{other} is better"
    return "undecided: the interval has 0 in it"


def cohort_findings(results: CohortResults) -> Findings:
    """Return in whole sentences what to beware of, and what was found."""
    # Of those that are used: quality control may have left some of the plan out.
    warnings, said = class_warnings(results.planned.study, results.subjects), []
    if LINEAR not in results.rows:
        warnings.append(NO_LINEAR)
    chance = 100 / len(results.classes)
    for row in results.rows:
        score = results.scores_by_row[row]
        low, high = score.intervals["balanced_accuracy"]
        said.append(
            f"{row}: {score.scores['accuracy']:.1f} % of held-out scans right, balanced "
            f"{score.scores['balanced_accuracy']:.1f} % (95 % interval {low:.1f} to {high:.1f})."
        )
        if low <= chance:
            warnings.append(
                f"{row} cannot be told from guessing: its interval holds {percent(chance)}."
            )
    common = results.scores_by_row[results.baseline].scores["accuracy"]
    said.append(f"Always saying the most frequent class would be right in {common:.1f} %.")
    if LINEAR in results.rows:
        line = results.scores_by_row[LINEAR].scores["balanced_accuracy"]
        for row in (row for row in results.rows if row != LINEAR):
            if results.scores_by_row[row].scores["balanced_accuracy"] <= line:
                warnings.append(f"{row} is no better than the linear row.")
    return Findings(warnings, said)
