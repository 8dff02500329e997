"""Copies of one scan under two names: they would stand in two folds, or have two labels."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from structnets.cohorts.listing import Scan
from structnets.cohorts.naming import shown

_REMEDY = "find out whose it is, and name the other in the prepare parameter 'exclude'"


def refuse_copies(
    volumes: np.ndarray,
    rows: Sequence[Mapping[str, Any]],
    alike: Sequence[tuple[int, int, float]],
    *,
    scored: bool = False,
) -> None:
    """Refuse volumes that two subjects share, and near-duplicates with two labels.

    Near-duplicates with one label are no error: they are kept in one fold.

    Parameters
    ----------
    volumes : numpy.ndarray
        (N, 1, X, Y, Z).
    rows : sequence of mapping
        N objects with ``subject``, ``session`` and ``label``.
    alike : sequence of (int, int, float)
        Near-duplicates (`structnets.cohorts.folds.near_duplicates`).
    scored : bool
        Labels are scores, which may change from one session of a person to the next.

    Raises
    ------
    ValueError
        Naming both of each pair.
    """
    first: dict[bytes, int] = {}
    found = []
    for row, volume in enumerate(volumes):
        before = first.setdefault(hashlib.sha256(volume.tobytes()).digest(), row)
        if rows[before]["subject"] != rows[row]["subject"]:
            found.append(f"{_both(rows[before], rows[row])} are the same scan")
    if found:
        raise ValueError(f"identical scans of several subjects: {shown(found, '; ')}; {_REMEDY}")
    labels = [
        f"{_both(rows[i], rows[j])} (correlation {likeness:.4f})"
        for i, j, likeness in alike
        if rows[i]["label"] != rows[j]["label"]
        and not (scored and rows[i]["subject"] == rows[j]["subject"])
    ]
    if labels:
        raise ValueError(
            f"scans that are nearly the same have two labels: {shown(labels, '; ')}; {_REMEDY}"
        )


def refuse_joined(
    rows: Sequence[Mapping[str, Any]], alike: Sequence[tuple[int, int, float]]
) -> None:
    """Refuse near-duplicates of two subjects where a study has planned a run for each subject.

    They would be left out together, and the runs of both would not be there.

    Raises
    ------
    ValueError
        Naming both of each pair.
    """
    found = [
        f"{rows[i]['subject']} and {rows[j]['subject']} (correlation {likeness:.4f})"
        for i, j, likeness in alike
        if rows[i]["subject"] != rows[j]["subject"]
    ]
    if found:
        raise ValueError(
            "leave_out: subject: two subjects have nearly the same scan and cannot be left out "
            f"each: {shown(found, '; ')}; {_REMEDY}"
        )


def refuse_equal_files(checksums: Iterable[tuple[Scan, str]]) -> None:
    """Refuse files of two subjects that are equal byte for byte, before any is registered.

    Raises
    ------
    ValueError
        Naming both of each pair.
    """
    first: dict[str, Scan] = {}
    found = []
    for scan, sha256 in checksums:
        before = first.setdefault(sha256, scan)
        if before.subject != scan.subject:
            found.append(f"{before.path} and {scan.path}")
    if found:
        raise ValueError(f"equal files of several subjects: {shown(found, '; ')}; {_REMEDY}")


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    return " and ".join(
        f"{row['subject']}{'_' if row['session'] else ''}{row['session']} ({row['label']})"
        for row in (one, other)
    )
