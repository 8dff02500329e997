"""What a cohort's folder holds: the scans that are used, and everything that is not, with why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from structnets.cohorts.sheet import Labels


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
        Class name.
    axes : str or None
        Directions of the voxel axes, for files that do not state them (Analyze).
    """

    subject: str
    session: str
    path: Path
    label: str
    axes: str | None = None

    @property
    def name(self) -> str:
        """Name of the scan's files: subject, and session where there is one."""
        return f"{self.subject}_{self.session}" if self.session else self.subject


@dataclass(frozen=True)
class Found:
    """A scan file as a layout's reader finds it; the key leads to its label."""

    subject: str
    session: str
    path: Path
    key: str
    axes: str | None = None


@dataclass(frozen=True)
class Listing:
    """The scans of a cohort, sorted by name, and what is left out: (what, reason)."""

    scans: tuple[Scan, ...]
    left_out: tuple[tuple[str, str], ...]


def match(
    found: Iterable[Found],
    labels: Labels,
    classes: Sequence[str],
    *,
    sessions: str = "first",
) -> Listing:
    """Join scans with labels; whatever finds no partner is listed.

    Parameters
    ----------
    found : iterable of Found
        Scan files.
    labels : Labels
        Class by key, and the keys whose label is none of the classes, with why.
    classes : sequence of str
        The classes.
    sessions : {"first", "all"}
        Take each subject's first session (by name), or all.

    Returns
    -------
    Listing
        ``left_out`` names scans without label, labels without scan, labels that are no class,
        and further sessions or runs.

    Raises
    ------
    ValueError
        If a class has no scan at all, or two scans would have the same name.
    """
    left: list[tuple[str, str]] = []
    scans: dict[str, Scan] = {}
    ordered = sorted(found, key=lambda item: (item.subject, item.session, str(item.path)))
    for item in ordered:
        label = labels.of.get(item.key)
        if label is None:
            why = labels.refused.get(item.key, f"has no label in {labels.source}")
            left.append((str(item.path), why))
            continue
        scan = Scan(item.subject, item.session, item.path, label, item.axes)
        if scan.name in scans:
            left.append((str(item.path), f"is another scan of {scan.name}, the first is used"))
        elif sessions == "first" and any(other.subject == scan.subject for other in scans.values()):
            left.append((str(item.path), f"is a further session of {scan.subject}"))
        else:
            scans[scan.name] = scan
    keys = {item.key for item in ordered}
    left += [
        (key, f"has a label in {labels.source} but no scan") for key in labels.of if key not in keys
    ]
    _check_classes(scans, classes, labels, ordered)
    return Listing(tuple(scans.values()), tuple(left))


def _check_classes(
    scans: Mapping[str, Scan], classes: Sequence[str], labels: Labels, found: Sequence[Found]
) -> None:
    counts = Counter(scan.label for scan in scans.values())
    if empty := [name for name in classes if not counts[name]]:
        raise ValueError(
            f"no scan has the label {' or '.join(map(repr, empty))}: {len(found)} scans and "
            f"{len(labels.of)} labels in {labels.source}; {len(scans)} of them match"
        )
