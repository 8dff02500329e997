"""Folder layouts of cohorts: BIDS, OASIS-1, ADNI, and a plain folder with a table.

Only names of files and the table of labels are read here, so that a workflow can list the
subjects of a cohort whenever it plans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from structnets.cohorts.listing import Found, Listing
from structnets.cohorts.matching import match
from structnets.cohorts.ordering import read_timetable
from structnets.cohorts.sheet import Labels, Row, index_rows, one_of, read_labels
from structnets.content import visible_files
from structnets.forms.scores.cells import score_in
from structnets.imaging.scan_files import absence

_ENDINGS = (".nii", ".nii.gz", ".img")
_NIFTI = "[nN][iI][iI]*"
_OASIS_NAME = re.compile(r"(OAS1_\d{4})_(MR\d)")
_ADNI_NAME = re.compile(r"(\d{3}_S_\d{4}).*_(I\d+)$")
# The averaged native scans of OASIS-1 are Analyze files, whose voxel axes run towards anterior,
# superior and left.
_OASIS_AXES = "ASL"
_OASIS_AGE = 60


def list_bids(
    root: Path,
    column: str,
    classes: Sequence[str],
    sessions: str = "first",
    exclude: Sequence[str] = (),
) -> Listing:
    """List ``sub-*/[ses-*/]anat/*_T1w.nii[.gz]`` with labels from ``participants.tsv``.

    Parameters
    ----------
    root : Path
        The BIDS data set.
    column : str
        Column of ``participants.tsv`` that holds the label.
    classes : sequence of str
        Values of that column that are classes; without any, it holds a score, a number.
    sessions : {"first", "all"}
        As `structnets.cohorts.matching.match`; times stand in ``*_sessions.tsv`` and
        ``*_scans.tsv``.
    exclude : sequence of str
        As `structnets.cohorts.matching.match`.
    """
    _require_folder(root)
    labels = _labels(root / "participants.tsv", "participant_id", column, classes)

    def scans() -> Iterator[Found]:
        for path in _volumes(
            root, f"sub-*/anat/*_T1w.{_NIFTI}", f"sub-*/ses-*/anat/*_T1w.{_NIFTI}"
        ):
            subject, *between = path.relative_to(root).parts[:-2]
            session = between[0] if between else ""
            yield Found(subject, session, path, subject, absent=absence(path))

    times = partial(read_timetable, root)
    return match(scans(), labels, classes, sessions=sessions, exclude=exclude, times=times)


def list_oasis(root: Path, sessions: str = "first", exclude: Sequence[str] = ()) -> Listing:
    """List OASIS-1: normal (CDR 0) or Alzheimer's (CDR 1) at 60 and older, the set AD-126.

    Found are either the averaged native scans of the original discs
    (``disc*/OAS1_????_MR?/PROCESSED/MPRAGE/SUBJ_111/*_sbj_111.img``) or NIfTI files in `root`
    whose names begin with the session's. Labels stand in ``oasis_cross-sectional.csv``.
    """
    _require_folder(root)

    def classify(row: Row) -> str | None:
        age, rating = row["Age"], row["CDR"]
        if not age or not rating or int(age) < _OASIS_AGE:
            return None
        return {0.0: "normal", 1.0: "alzheimer"}.get(float(rating))

    labels = read_labels(root / "oasis_cross-sectional.csv", "ID", classify, ["Age", "CDR"])

    def scans() -> Iterator[Found]:
        pattern = "OAS1_????_MR?/PROCESSED/MPRAGE/SUBJ_111/*_sbj_111.img"
        for path in _volumes(root, f"OAS1_*.{_NIFTI}", pattern, f"*/{pattern}"):
            if name := _OASIS_NAME.match(path.name):
                yield Found(name[1], name[2], path, name[0], oasis_axes(path), absence(path))

    return match(scans(), labels, ("normal", "alzheimer"), sessions=sessions, exclude=exclude)


def oasis_axes(path: Path) -> str | None:
    """Return the directions of the voxel axes of a scan of OASIS-1 that does not state them."""
    return _OASIS_AXES if path.suffix == ".img" else None


def list_adni(
    root: Path,
    classes: Sequence[str] = ("CN", "AD"),
    sessions: str = "first",
    exclude: Sequence[str] = (),
) -> Listing:
    """List ADNI as the archive packs it: ``ADNI/<subject>/<series>/<date>/<image>/*.nii``.

    Labels stand in the collection's table, the one ``*.csv`` in `root` with the columns
    ``Image Data ID``, ``Subject`` and ``Group``.
    """
    _require_folder(root)
    tables = sorted(path for path in root.glob("*.csv") if not path.name.startswith("."))
    if len(tables) != 1:
        raise ValueError(f"{root} must hold one table of its collection (*.csv), has {len(tables)}")
    rows = index_rows(tables[0], "Image Data ID", ["Subject"])
    labels = read_labels(tables[0], "Image Data ID", one_of("Group", classes), ["Group"])

    def scans() -> Iterator[Found]:
        for path in _volumes(root, f"ADNI/*/*/*/*/*.{_NIFTI}"):
            if name := _ADNI_NAME.search(path.name.partition(".nii")[0]):
                subject, image = name.groups()
                stated = rows.get(image, {}).get("Subject", subject)
                if stated != subject:
                    raise ValueError(f"{path} is of {subject}, {tables[0]} says of {stated}")
                session = f"{path.parent.parent.name[:10]}_{image}"
                yield Found(subject, session, path, image, absent=absence(path))

    return match(scans(), labels, classes, sessions=sessions, exclude=exclude)


def list_folder(
    root: Path,
    column: str,
    classes: Sequence[str],
    sessions: str = "first",
    exclude: Sequence[str] = (),
) -> Listing:
    """List the files that ``labels.csv`` names: columns ``subject``, ``file`` and `column`.

    A column ``session`` is optional. Linked folders are followed. Files that lie in the folder but
    not in the table are listed as left out.
    """
    _require_folder(root)
    table = root / "labels.csv"
    labels = _labels(table, "file", column, classes)
    rows = index_rows(table, "file", ["subject"])

    def scans() -> Iterator[Found]:
        # Path.glob does not enter folders that are links.
        for name in filter(_is_nifti, visible_files(root)):
            path = root / name
            row = rows.get(name, {"subject": path.name.partition(".nii")[0]})
            yield Found(row["subject"], row.get("session", ""), path, name, absent=absence(path))

    return match(scans(), labels, classes, sessions=sessions, exclude=exclude)


def _is_nifti(name: str) -> bool:
    return name.lower().endswith((".nii", ".nii.gz"))


def _labels(table: Path, key: str, column: str, classes: Sequence[str]) -> Labels:
    if classes:
        return read_labels(table, key, one_of(column, classes), [column])
    return read_labels(table, key, score_in(column), [column], "has no score")


def _require_folder(root: Path) -> None:
    if not root.is_dir():
        raise FileNotFoundError(f"{root} is no folder; the cohort's scans and labels belong there")


def _volumes(root: Path, *patterns: str) -> Iterable[Path]:
    """Yield files and links to files, but none that is hidden or lies in a hidden folder.

    macOS writes ``._scan.nii.gz`` beside ``scan.nii.gz``, git-annex keeps content in ``.git``.
    """
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            if not hidden and not path.is_dir() and path.name.lower().endswith(_ENDINGS):
                yield path


__all__ = ["list_adni", "list_bids", "list_folder", "list_oasis", "oasis_axes"]
