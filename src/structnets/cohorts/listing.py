"""What a cohort's folder holds: the scans that are used, and everything that is not, with why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from structnets.cohorts.sheet import index_rows


@dataclass(frozen=True)
class Scan:
    """One scan of one subject.

    Attributes
    ----------
    subject : str
        Whose; folds keep all scans of a subject together.
    session : str
        Which visit; empty where a layout has none.
    path : pathlib.Path
        The file.
    label : str
        Class name; of a cohort with scores the number.
    axes : str or None
        Directions of the voxel axes, for files that do not state them (Analyze).
    traits : mapping
        What the table says of the subject besides: covariates, a site.
    """

    subject: str
    session: str
    path: Path
    label: str
    axes: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the scan's files: subject, and session where there is one."""
        return scan_name(self.subject, self.session)


@dataclass(frozen=True)
class Found:
    """A scan file as a layout's reader finds it; the key leads to its label.

    ``absent`` says why there is a name but no content, as of a file that was not fetched.
    """

    subject: str
    session: str
    path: Path
    key: str
    axes: str | None = None
    absent: str | None = None


@dataclass(frozen=True)
class Listing:
    """The scans of a cohort, sorted by subject, and what was done with the others.

    Attributes
    ----------
    scans : tuple of Scan
        Those that are used.
    left_out : tuple of (str, str)
        What is not used, and why.
    taken : tuple of (str, str)
        Names of scans that were chosen among several, and how.
    sides : mapping
        ``train`` or ``test`` by name of scan, where a list of images fixes it; else empty.
    excluded_by : mapping
        Which entry of ``exclude`` names each file that is left out by one, which may be a name.
    reasons : mapping
        Why, without any name, by what is left out.
    """

    scans: tuple[Scan, ...]
    left_out: tuple[tuple[str, str], ...]
    taken: tuple[tuple[str, str], ...] = ()
    sides: Mapping[str, str] = field(default_factory=dict)
    excluded_by: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


def with_traits(
    listing: Listing, table: Path, key: str, columns: Sequence[str], folder: Path
) -> Listing:
    """Add to each scan what columns of the table of labels say of it.

    Parameters
    ----------
    listing : Listing
        Of scans that the table names by subject, or by file.
    table : Path
        The table.
    key : str
        Its column of subjects (``participant_id``) or files (``file``).
    columns : sequence of str
        What is wanted; without any, the listing is returned as it is.
    folder : Path
        What names of files are relative to.

    Raises
    ------
    ValueError
        As `structnets.cohorts.sheet.index_rows` says, a missing column among others.
    """
    if not columns:
        return listing
    rows = index_rows(table, key, columns)

    def told(scan: Scan) -> Scan:
        name = scan.path.relative_to(folder).as_posix() if key == "file" else scan.subject
        return replace(scan, traits={column: rows[name][column] for column in columns})

    return replace(listing, scans=tuple(map(told, listing.scans)))


def scan_name(subject: str, session: str) -> str:
    """Return what the files of a scan are called by."""
    return f"{subject}_{session}" if session else subject
