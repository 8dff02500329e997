"""The page of a cohort's quality control: flagged subjects first, each with its picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from structnets import pages
from structnets.cohorts.listing import Listing
from structnets.cohorts.subject_files import SubjectFiles
from structnets.files import write_atomic
from structnets.imaging.quality import LARGEST_LOSS, LIMITS

_LEGEND = (
    "L, R, A and P are the subject's left, right, front and back, as the scan's header has them. A "
    "brain is so symmetric that a header which mistakes left for right shows in nothing but a mark "
    "at the scanner, such as a capsule at one side. Blue: outline of the MNI152 brain. Orange "
    "lines: its white matter. Orange areas: what lies outside the template's brain and was cut off "
    "of the subject's own, also as a share in the table."
)


def write_page(
    path: Path, title: str, listing: Listing, subjects: Sequence[SubjectFiles], *, excluded: bool
) -> None:
    """Write the page beside the subjects' pictures, atomically.

    Parameters
    ----------
    path : Path
        The HTML file, in the folder of the pictures.
    title : str
        What the page is of.
    listing : Listing
        The cohort's scans and what was left out.
    subjects : sequence of SubjectFiles
        The files of each scan.
    excluded : bool
        Whether flagged scans are excluded from the prepared cohort unless kept by name.
    """
    ordered = sorted(subjects, key=lambda files: (-len(files.problems), _similarity(files)))
    flagged = [files for files in ordered if files.problems]
    head = f"{len(subjects)} scans, {len(flagged)} flagged, {len(listing.left_out)} left out. " + (
        "Flagged scans are excluded from the prepared cohort, except those kept by name."
        if excluded
        else "A flagged scan is used or not as the prepare parameters 'keep' and 'exclude' say."
    )
    text = pages.page(
        "structnets.cohorts",
        "quality.html",
        title=title,
        head=head,
        subjects=ordered,
        lists=(
            ("Chosen among several scans", listing.taken),
            ("Left out of the cohort", listing.left_out),
        ),
        limits=LIMITS,
        largest_loss=LARGEST_LOSS,
        legend=_LEGEND,
    )
    write_atomic(path, text)


def _similarity(files: SubjectFiles) -> float:
    return files.facts.get("quality", {}).get("similarity", -1.0)
