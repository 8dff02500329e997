"""In what a cohort differs from what it was when it was last prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from structnets.cohorts.listing import Scan, scan_name
from structnets.cohorts.naming import shown
from structnets.files import read_json
from structnets.identity import prepared_name

Row = tuple[str | None, str | None]


def changed_since(
    prepared: Path, data: Mapping[str, Any], scans: Sequence[tuple[Scan, str]]
) -> str | None:
    """Say in a sentence why a cohort is not the one that was prepared last.

    Parameters
    ----------
    prepared : Path
        Folder of all prepared data.
    data : mapping
        The ``data`` object of a spec.
    scans : sequence of (Scan, str)
        Those there are now, with the checksums of their files.

    Returns
    -------
    str or None
        None if this content is prepared, or no other content of this cohort is.
    """
    if (prepared / prepared_name(data) / "manifest.json").is_file():
        return None
    before = _last_prepared(prepared, data)
    if before is None:
        return None
    now = {scan.name: (scan.label, sha256) for scan, sha256 in scans}
    found = list(_differences(before, now))
    return (
        f"the cohort has changed since it was prepared last: {shown(found, '; ')}. Its runs are "
        "others now; those of before stay and are not shown for it"
        if found
        else None
    )


def _last_prepared(prepared: Path, data: Mapping[str, Any]) -> dict[str, Row] | None:
    """Return label and checksum of the scans that were prepared last for the same request."""
    asked = {key: value for key, value in data["prepare"].items() if key != "content"}
    places = sorted(
        prepared.glob(f"{data['name']}-*/manifest.json"), key=lambda path: -path.stat().st_mtime_ns
    )
    for place in places:
        try:
            manifest, rows = read_json(place), read_json(place.parent / "subjects.json")
            of = {key: v for key, v in manifest["prepare"].items() if key != "content"}
            if (manifest["dataset"], of) == (data["name"], asked):
                return {
                    scan_name(row["subject"], row["session"]): (row.get("label"), row.get("sha256"))
                    for row in rows
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # damaged: it is no witness
    return None


def _differences(before: Mapping[str, Row], now: Mapping[str, Row]) -> list[str]:
    found = []
    for name in sorted({*before, *now}):
        if name not in before:
            found.append(f"{name} is new")
        elif name not in now:
            found.append(f"{name} is gone")
        else:
            (label, sha256), (new_label, new_sha256) = before[name], now[name]
            if label != new_label:
                found.append(f"the label of {name} was {label!r} and is {new_label!r}")
            if sha256 != new_sha256:
                found.append(f"the scan of {name} is another")
    return found
