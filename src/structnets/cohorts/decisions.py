"""Which registered scans a cohort uses: what fails or is flagged needs somebody's decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from structnets.cohorts.listing import Listing, Scan
from structnets.cohorts.naming import shown
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.subject_files import SubjectFiles
from structnets.data.sets.entries.catalogue import find_dataset

_REMEDY = (
    "name each in the prepare parameter 'keep' or 'exclude' (a study has both words) after a look "
    'at {page}, or leave all of them out by "exclude_failed": true'
)
PAGE = "quality.html"
"""The page of all registered scans, beside them."""
COUNTED = ("used", "flagged and used", "flagged or failed, excluded", "left out")
"""What a manifest counts of a cohort's scans, in the order in which it is told."""


@dataclass(frozen=True)
class Decided:
    """The scans that are used, with their files, and the record of those that are not.

    Attributes
    ----------
    used : list of (Scan, SubjectFiles)
        In the listing's order.
    record : dict
        Plain JSON: ``left_out``, ``reasons``, ``excluded_by`` and ``taken`` of the listing,
        ``excluded`` and ``flagged`` with their problems by scan, ``unusable``, those of
        ``excluded`` that have no volume, ``counts`` of all of them.
    """

    used: list[tuple[Scan, SubjectFiles]]
    record: dict[str, Any]


def decide(request: CohortRequest, listing: Listing, subjects: Sequence[SubjectFiles]) -> Decided:
    """Part the scans that are used from those that are not.

    Without ``exclude_failed``, a scan without a volume stops a cohort, and in a user's own also
    one that is flagged and not kept. In AD-126 and ADNI, whose subjects are published, flagged
    ones are used.

    Parameters
    ----------
    request : CohortRequest
        What was asked for.
    listing : Listing
        The cohort's scans, without those that are excluded by name.
    subjects : sequence of SubjectFiles
        The files of each scan, in the listing's order.

    Raises
    ------
    ValueError
        If a decision is missing, or names a scan that is not there or has no volume.
    """
    exclude = request.exclude_failed
    _check_kept(request.keep, subjects)
    refuse_failures(subjects, exclude=exclude)
    undecided = [f for f in subjects if f.problems and f.name not in request.keep]
    if undecided and not exclude and find_dataset(request.name).listed:
        words = [f"{files.name} ({'; '.join(files.problems)})" for files in undecided]
        raise ValueError(
            f"{len(undecided)} of {len(subjects)} scans are flagged by quality control and need a "
            f"decision: {shown(words)}; "
            f"{_REMEDY.format(page=undecided[0].folder / PAGE)}"
        )
    dropped = {files.name: files.problems for files in undecided} if exclude else {}
    pairs = zip(listing.scans, subjects, strict=True)
    used = [(scan, files) for scan, files in pairs if files.name not in dropped]
    flagged = {files.name: files.problems for _, files in used if files.problems}
    record = {
        "left_out": [list(entry) for entry in listing.left_out],
        "reasons": dict(listing.reasons),
        "excluded_by": dict(listing.excluded_by),
        "taken": [list(entry) for entry in listing.taken],
        "excluded": dropped,
        "flagged": flagged,
        "unusable": [files.name for files in undecided if exclude and files.failure],
        "counts": dict(
            zip(COUNTED, map(len, (used, flagged, dropped, listing.left_out)), strict=True)
        ),
    }
    return Decided(used, record)


def refuse_failures(subjects: Sequence[SubjectFiles], *, exclude: bool) -> None:
    """Raise if scans could not be used, naming them, unless they are to be excluded.

    Raises
    ------
    ValueError
        If there are such scans.
    """
    failed = [str(files.failure) for files in subjects if files.failure]
    if failed and not exclude:
        raise ValueError(
            f"{len(failed)} of {len(subjects)} scans cannot be used: {shown(failed, '; ')}. Mend "
            "them (they are then tried again), name them in the prepare parameter 'exclude', or "
            'leave them and those that fail quality control out by "exclude_failed": true'
        )


def _check_kept(keep: Sequence[str], subjects: Sequence[SubjectFiles]) -> None:
    files = {of.name: of for of in subjects}
    if unknown := [name for name in keep if name not in files]:
        raise ValueError(
            f"the prepare parameter 'keep' names {shown([*map(repr, unknown)])}, and there is no "
            f"such scan; scans are called such as {shown(sorted(files))}"
        )
    if failed := [str(files[name].failure) for name in keep if files[name].failure]:
        raise ValueError(f"scans that cannot be used cannot be kept: {shown(failed, '; ')}")
