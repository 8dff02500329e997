"""A fixed list of images to train and to test on, in place of folds (thesis Table 5).

The list is the user's: ``<cohort>/splits/<name>.csv`` with the columns ``Image Data ID`` and
``Split``, whose values are ``train`` and ``test``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.cohorts.listing import Listing, Scan
from structnets.cohorts.naming import shown
from structnets.cohorts.sheet import index_rows

if TYPE_CHECKING:
    import numpy as np

SIDES = ("train", "test")
_IMAGE, _SIDE = "Image Data ID", "Split"
NEVER_HELD = -1
"""The fold of an image that every run trains on; those of the test are fold 0."""


def read_split(path: Path) -> dict[str, str]:
    """Read which images are trained on and which are tested on.

    Returns
    -------
    dict
        ``train`` or ``test`` by image.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If an image stands in both, a value is neither, or one of them has no image.
    """
    found = {image: row[_SIDE] for image, row in index_rows(path, _IMAGE, [_SIDE]).items()}
    if strange := sorted({side for side in found.values() if side not in SIDES}):
        raise ValueError(f"{path}: {_SIDE} must be train or test, found {shown(strange)}")
    for side in SIDES:
        if side not in found.values():
            raise ValueError(f"{path} names no image to {side} on")
    return found


def image_of(scan: Scan) -> str:
    """Return the archive's name of a scan's image, which ends its session."""
    return scan.session.rpartition("_")[2]


def restrict(listing: Listing, split: Mapping[str, str], path: Path) -> Listing:
    """Keep the scans of a fixed split; others are listed as left out.

    Raises
    ------
    ValueError
        If a listed image is not among the scans, a subject stands on both sides, or one side
        lacks a class.
    """
    kept = tuple(scan for scan in listing.scans if image_of(scan) in split)
    if lacking := sorted(set(split) - {image_of(scan) for scan in kept}):
        raise ValueError(
            f"{path} names {len(lacking)} of {len(split)} images that the cohort has no scan of "
            f"in its classes: {shown(lacking)}; download them, or take them off the list"
        )
    sides = {scan.name: split[image_of(scan)] for scan in kept}
    of_subject: dict[str, set[str]] = {}
    of_class: dict[str, set[str]] = {}
    for scan in kept:
        of_subject.setdefault(scan.subject, set()).add(sides[scan.name])
        of_class.setdefault(scan.label, set()).add(sides[scan.name])
    if both := sorted(subject for subject, found in of_subject.items() if len(found) > 1):
        raise ValueError(f"{path} has subjects both to train and to test on: {shown(both)}")
    if few := sorted(label for label, found in of_class.items() if len(found) < 2):
        raise ValueError(f"{path} has classes on one side only: {shown(few)}")
    left = tuple(
        (str(scan.path), f"is not in {path.name}")
        for scan in listing.scans
        if image_of(scan) not in split
    )
    reasons = {**listing.reasons, **{what: "is not in the list of images" for what, _ in left}}
    left_out = (*listing.left_out, *left)
    return replace(listing, scans=kept, left_out=left_out, sides=sides, reasons=reasons)


def fixed_folds(names: Sequence[str], sides: Mapping[str, str], repetitions: int) -> np.ndarray:
    """Return the folds (repetitions, N) of scans by name: 0 to test on, else never held out.

    All repetitions are alike, so that runs of any seed have one test set.
    """
    import numpy as np  # a plan is laid out without it

    fold = [0 if sides[name] == "test" else NEVER_HELD for name in names]
    return np.tile(np.array(fold, dtype=np.int64), (repetitions, 1))
