"""Registered scans become a prepared cohort: quality control, folds, audit, arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.cohorts.folds import (
    NEAR_DUPLICATE,
    audit_folds,
    group_duplicates,
    near_duplicates,
    stratified_folds,
)
from structnets.cohorts.listing import Listing, Scan
from structnets.cohorts.request import REPETITIONS, CohortRequest
from structnets.cohorts.subject_files import SubjectFiles
from structnets.data.cohort import write_cohort
from structnets.imaging.grid import coarsen

_SHOWN = 5


def assemble(
    request: CohortRequest, listing: Listing, subjects: Sequence[SubjectFiles], out: Path
) -> dict[str, Any]:
    """Write the prepared cohort of registered scans.

    Parameters
    ----------
    request : CohortRequest
        What was asked for.
    listing : Listing
        The cohort's scans and what was left out of it.
    subjects : sequence of SubjectFiles
        The files of each scan, in the listing's order.
    out : Path
        Folder of the prepared cohort.

    Returns
    -------
    dict
        Its manifest; ``source`` lists what was left out or excluded, and what was flagged.

    Raises
    ------
    ValueError
        If a scan could not be used and ``exclude_failed`` is not set.
    """
    exclude = bool(request.prepare.get("exclude_failed"))
    refuse_failures(subjects, exclude=exclude)
    pairs = list(zip(listing.scans, subjects, strict=True))
    used = [(scan, files) for scan, files in pairs if not (exclude and files.problems)]
    source = {
        "left_out": [list(entry) for entry in listing.left_out],
        "excluded": {f.name: f.problems for s, f in pairs if exclude and f.problems},
        "flagged": {f.name: f.problems for s, f in used if f.problems},
    }
    volumes = np.stack([files.volume() for _, files in used])[:, np.newaxis]
    rows = [_entry(scan, files.facts) for scan, files in used]
    return write_folded(request, volumes, rows, out, source)


def refuse_failures(subjects: Sequence[SubjectFiles], *, exclude: bool) -> None:
    """Raise if scans could not be used, naming them, unless they are to be excluded.

    Raises
    ------
    ValueError
        If there are such scans.
    """
    failed = [files for files in subjects if files.failure]
    if failed and not exclude:
        shown = "; ".join(str(files.failure) for files in failed[:_SHOWN])
        more = f"; and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        raise ValueError(
            f"{len(failed)} of {len(subjects)} scans cannot be used: {shown}{more}. Mend them, or "
            "leave them and those that fail quality control out by the prepare parameter "
            '"exclude_failed": true'
        )


def write_folded(
    request: CohortRequest,
    volumes: np.ndarray,
    rows: Sequence[Mapping[str, Any]],
    out: Path,
    source: Mapping[str, Any],
) -> dict[str, Any]:
    """Deal a cohort into audited folds, bring it to its grid and write it.

    Parameters
    ----------
    request : CohortRequest
        What was asked for.
    volumes : numpy.ndarray
        (N, 1, 91, 109, 91) uint8 on the MNI152 2 mm grid.
    rows : sequence of mapping
        N objects with ``subject``, ``session`` and ``label`` (a class name).
    out : Path
        Folder of the prepared cohort.
    source : mapping
        Where the volumes came from, plain JSON.

    Raises
    ------
    ValueError
        If the folds cannot be dealt, or the audit finds a subject or duplicate on both sides.
    """
    subjects = [str(row["subject"]) for row in rows]
    labels = np.array([request.classes.index(row["label"]) for row in rows], dtype=np.int64)
    alike = near_duplicates(volumes)
    groups = group_duplicates(subjects, alike)
    folds = np.stack(
        [stratified_folds(labels, groups, request.folds, number) for number in range(REPETITIONS)]
    )
    if found := [line for dealt in folds for line in audit_folds(dealt, subjects, alike)]:
        raise ValueError(f"the folds of {request.name} leak: {'; '.join(found[:_SHOWN])}")
    audit = {
        "near_duplicate_correlation": NEAR_DUPLICATE,
        "near_duplicates": [[rows[i]["subject"], rows[j]["subject"], r] for i, j, r in alike],
        "kept_together": len(alike),
    }
    stored = volumes
    if request.grid_mm > 2:
        stored = np.rint(coarsen(volumes, request.grid_mm)).astype(np.uint8)
    return write_cohort(
        out,
        request.name,
        request.prepare,
        stored,
        labels,
        rows,
        folds,
        request.classes,
        {**source, "audit": audit},
    )


def _entry(scan: Scan, facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("source", "sha256", "already_registered", "method", "quality", "problems")
    row = {"subject": scan.subject, "session": scan.session, "label": scan.label}
    return {**row, **{key: facts[key] for key in kept}}
