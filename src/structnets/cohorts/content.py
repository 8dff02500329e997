"""What is in a cohort of one's own, as one digest: who, which bytes, which label.

The digest is part of a spec, so that a corrected label, another scan or one subject more make other
runs, and equal content in another place the same. Where the cohort lies, and when its files were
written, does not enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from structnets.cohorts.listing import Listing, Scan
from structnets.cohorts.request import CohortRequest
from structnets.content import content_digest, list_files
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.identity import digest

UNLISTED = "unlisted"
"""Stands in a spec for the content of a cohort that could not be listed: no run has it."""


def digest_scans(checksums: Iterable[tuple[Scan, str | None]]) -> str:
    """Digest scans with the checksums of their files, in any order."""
    return content_digest(
        (scan.subject, scan.session, scan.label, scan.axes, sha256, *_told(scan))
        for scan, sha256 in checksums
    )


def _told(scan: Scan) -> list[str]:
    return [text for trait in sorted(scan.traits.items()) for text in trait]


def refuse_other_content(
    request: CohortRequest, checksums: Iterable[tuple[Scan, str | None]]
) -> None:
    """Refuse scans that are not the content a request names.

    Raises
    ------
    ValueError
        If a scan or a label has changed since the request was made.
    """
    found = digest_scans(checksums)
    if request.content is not None and request.content != found:
        raise ValueError(
            f"the scans and labels of {request.name} have the content {found[:12]}, asked for is "
            f"{request.content[:12]}: they have changed since this was planned; call again"
        )


def read_checksums(
    request: CohortRequest, listing: Listing, data_root: Path, memory: Path | None = None
) -> list[tuple[Scan, str]]:
    """Return the scans of a listing with the checksums of their files.

    Parameters
    ----------
    request : CohortRequest
        What was listed.
    listing : Listing
        Its scans.
    data_root : Path
        Where the originals lie.
    memory : Path, optional
        A folder that remembers what was read: files of unchanged size and time are not read again.
    """
    folder = request.folder_in(data_root)
    names = [scan.path.relative_to(folder).as_posix() for scan in listing.scans]
    known = None if memory is None else memory_of(request, data_root, memory)
    files = list_files(folder, names, known)
    return [(scan, file.sha256) for scan, file in zip(listing.scans, files, strict=True)]


def memory_of(request: CohortRequest, data_root: Path, memory: Path) -> Path:
    """Return where the checksums of a cohort are kept, with the names of its files."""
    folder = request.folder_in(data_root).resolve()
    return memory / f"cohort-{digest(str(folder))[:8]}.json"


@dataclass
class Contents:
    """The content of the cohorts that specs ask for, each listed once.

    Called with the ``data`` object of a spec, it returns the digest for the prepare parameter
    ``content``; None for a data set that is not one's own.

    Attributes
    ----------
    data_root : Path
        Where the originals lie; without one, only what is known has a content.
    memory : Path, optional
        As in `read_checksums`.
    known : dict of str to str
        Digests by `CohortRequest.listed_as`. A job is given those that its call was planned with.
    scans : dict of str to list
        Scans and checksums of what was listed here, by the same names.
    troubles : dict of str to str
        Why a cohort could not be listed, by the same names.
    """

    data_root: Path | None = None
    memory: Path | None = None
    known: dict[str, str] = field(default_factory=dict)
    scans: dict[str, list[tuple[Scan, str]]] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)

    def __call__(self, data: Mapping[str, Any]) -> str | None:
        """Return the digest of what `data` asks for, or `UNLISTED`."""
        entry = find_dataset(data["name"])
        if not (entry.listed and entry.by_subject):
            return None
        request = CohortRequest(data["name"], data.get("prepare") or {})
        name = request.listed_as()
        if name not in self.known:
            self.known[name] = self._listed(request, name)
        return self.known[name]

    def _listed(self, request: CohortRequest, name: str) -> str:
        if self.data_root is None:
            return UNLISTED
        try:
            listing = request.list_scans(self.data_root)
            found = read_checksums(request, listing, self.data_root, self.memory)
        except (OSError, ValueError) as error:
            self.troubles[name] = str(error)
            return UNLISTED
        self.scans[name] = found
        return digest_scans(found)
