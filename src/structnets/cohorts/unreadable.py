"""Which scans of a listing are none, by their headers."""

from __future__ import annotations

from structnets.cohorts.listing import Listing
from structnets.imaging.scan_files import header_problem


def unreadable(listing: Listing) -> list[str]:
    """Name the scans that are none by their header, with why."""
    found = ((scan.path, header_problem(scan.path)) for scan in listing.scans)
    return [f"{path} {problem}" for path, problem in found if problem]
