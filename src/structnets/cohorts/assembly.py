"""Registered scans become a prepared cohort: quality control, folds, audit, arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.cohorts.content import refuse_other_content
from structnets.cohorts.copies import refuse_copies, refuse_joined
from structnets.cohorts.decisions import decide
from structnets.cohorts.fixed_split import fixed_folds
from structnets.cohorts.fold_sizes import (
    refuse_few,
    refuse_few_groups,
    refuse_few_scored,
    refuse_lost_groups,
)
from structnets.cohorts.folds import (
    NEAR_DUPLICATE,
    audit_folds,
    group_duplicates,
    left_out_folds,
    near_duplicates,
    scored_folds,
    stratified_folds,
)
from structnets.cohorts.listing import Listing, Scan, scan_name
from structnets.cohorts.naming import shown
from structnets.cohorts.request import REPETITIONS, CohortRequest
from structnets.cohorts.subject_files import SubjectFiles
from structnets.forms.cohort.stored import write_cohort
from structnets.forms.scores.stored import write_scores
from structnets.imaging.grid import on_grid


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
        Its manifest; ``source`` is the record of `structnets.cohorts.decisions.decide`, and
        ``registered_before``, how many scans came registered to MNI152.

    Raises
    ------
    ValueError
        If the scans are not of the content asked for, a decision about one is missing, nothing is
        left of what a study leaves out in turn, or as `write_folded` says.
    """
    pairs = zip(listing.scans, subjects, strict=True)
    refuse_other_content(request, ((scan, files.facts.get("sha256")) for scan, files in pairs))
    decided = decide(request, listing, subjects)
    if request.content is not None and request.leave_out is not None:  # a study planned its runs
        refuse_lost_groups(request.leave_out, listing.scans, (scan for scan, _ in decided.used))
    volumes = np.stack([files.volume() for _, files in decided.used])[:, np.newaxis]
    rows = [_entry(scan, files.facts) for scan, files in decided.used]
    before = sum(bool(row["already_registered"]) for row in rows)
    source = {**decided.record, "registered_before": before}
    return write_folded(request, volumes, rows, out, source, listing.sides)


def write_folded(
    request: CohortRequest,
    volumes: np.ndarray,
    rows: Sequence[Mapping[str, Any]],
    out: Path,
    source: Mapping[str, Any],
    sides: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Deal a cohort into audited folds, bring it to its grid and write it.

    Parameters
    ----------
    request : CohortRequest
        What was asked for.
    volumes : numpy.ndarray
        (N, 1, 91, 109, 91) uint8 on the MNI152 2 mm grid.
    rows : sequence of mapping
        N objects with ``subject``, ``session`` and ``label`` (a class name, or a score).
    out : Path
        Folder of the prepared cohort.
    source : mapping
        Where the volumes came from, plain JSON.
    sides : mapping, optional
        ``train`` or ``test`` by name of scan, which takes the place of folds dealt by seed.

    Raises
    ------
    ValueError
        If two subjects share a scan, or nearly in a study that leaves out each, the folds cannot be
        dealt, or the audit finds a subject or duplicate on both sides.
    """
    subjects = [str(row["subject"]) for row in rows]
    labels = (
        np.array([float(row["label"]) for row in rows])
        if request.scored
        else np.array([request.classes.index(row["label"]) for row in rows], dtype=np.int64)
    )
    alike = near_duplicates(volumes)
    refuse_copies(volumes, rows, alike, scored=request.scored)
    if request.content is not None and request.leave_out == "subject":
        refuse_joined(rows, alike)
    groups = group_duplicates(subjects, alike)
    if sides:
        names = [scan_name(str(row["subject"]), str(row["session"])) for row in rows]
        folds = fixed_folds(names, sides, REPETITIONS)
    else:
        folds = _dealt(request, labels, groups, rows)
    if found := [line for dealt in folds for line in audit_folds(dealt, subjects, alike)]:
        raise ValueError(f"the folds of {request.name} leak: {shown(found, '; ')}")
    audit = {
        "near_duplicate_correlation": NEAR_DUPLICATE,
        "near_duplicates": [[rows[i]["subject"], rows[j]["subject"], r] for i, j, r in alike],
        "kept_together": len(alike),
    }
    stored = on_grid(volumes, request.grid_mm, request.field_of_view)
    source = {**source, "audit": audit}
    if request.scored:
        return write_scores(out, request.name, request.prepare, stored, labels, rows, folds, source)
    return write_cohort(
        out,
        request.name,
        request.prepare,
        stored,
        labels,
        rows,
        folds,
        request.classes,
        source,
    )


def _dealt(
    request: CohortRequest,
    labels: np.ndarray,
    groups: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
) -> np.ndarray:
    """Return the fold of each volume in every repetition; what is left out whole has one."""
    if request.leave_out is not None:
        whole = groups
        if request.leave_out != "subject":
            whole = [row["traits"][request.leave_out] for row in rows]
        refuse_few_groups(request.leave_out, whole)
        return left_out_folds(whole)[np.newaxis]
    if request.scored:
        refuse_few_scored(len(set(groups)), request.folds)
        dealt = [scored_folds(labels, groups, request.folds, n) for n in range(REPETITIONS)]
        return np.stack(dealt)
    of_class = {
        name: {groups[int(i)] for i in np.flatnonzero(labels == number)}
        for number, name in enumerate(request.classes)
    }
    refuse_few({name: len(of) for name, of in of_class.items()}, request.folds)
    return np.stack(
        [stratified_folds(labels, groups, request.folds, number) for number in range(REPETITIONS)]
    )


def _entry(scan: Scan, facts: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("source", "sha256", "already_registered", "method", "quality", "problems")
    row: dict[str, Any] = {
        "subject": scan.subject,
        "session": scan.session,
        "label": scan.label,
    }
    if scan.traits:
        row["traits"] = dict(scan.traits)
    return {**row, **{key: facts[key] for key in kept}}
