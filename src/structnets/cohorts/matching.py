"""Joining scans with labels: which are used, and what is not, with why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from structnets.cohorts.listing import Found, Listing, Scan, scan_name
from structnets.cohorts.naming import near_misses, path_part, shown
from structnets.cohorts.ordering import Timetable, first_scan, first_session
from structnets.cohorts.sheet import Labels
from structnets.content import refuse_other_encodings


def match(
    found: Iterable[Found],
    labels: Labels,
    classes: Sequence[str],
    *,
    sessions: str = "first",
    exclude: Sequence[str] = (),
    times: Callable[[str, Sequence[str]], Timetable] = lambda subject, sessions: Timetable(),
) -> Listing:
    """Join scans with labels; whatever finds no partner is listed.

    Parameters
    ----------
    found : iterable of Found
        Scan files.
    labels : Labels
        Class by key, and the keys whose label is none of the classes, with why.
    classes : sequence of str
        The classes; none of a cohort with scores.
    sessions : {"first", "all"}
        Take each subject's first session (see `structnets.cohorts.ordering`), or all.
    exclude : sequence of str
        Subjects, scans or patterns of file names to leave out, such as ``"*acq-fast*"``.
    times : callable
        Returns what is known of a subject's sessions; asked where there are several scans.

    Returns
    -------
    Listing
        ``left_out`` names scans without label, labels without scan, labels that are no class,
        what is excluded or was not fetched, and further sessions or runs.

    Raises
    ------
    ValueError
        If a class, or a cohort with scores, has no scan at all, names of scans and labels nearly
        match, an entry of `exclude` matches nothing, a name may not be part of a path or is not in
        UTF-8, two scans would have one name, or which of several scans is first cannot be told.
    """
    ordered = sorted(found, key=lambda item: (item.subject, item.session, str(item.path)))
    for item in ordered:
        refuse_other_encodings(item.path)
    excluded, rest = _excluded(ordered, labels, exclude)
    left = [_Left(path, "is excluded by name") for path in excluded]
    by_subject: dict[str, list[Found]] = defaultdict(list)
    for item in rest:
        if item.key in labels.of:
            by_subject[item.subject].append(item)
        else:
            place = str(item.path)
            if item.key in labels.refused:
                left.append(_Left(place, labels.without, labels.refused[item.key]))
            else:
                left.append(_Left(place, "has no label", f"has no label in {labels.source}"))
    scans: dict[str, Scan] = {}
    taken: list[tuple[str, str]] = []
    for subject, items in by_subject.items():
        path_part(subject, "subject", items[0].path)
        chosen, further, how = _choose(subject, items, sessions, times)
        left += further
        taken += how
        for item in chosen:
            if item.absent:
                left.append(_Left(str(item.path), "has no content here", item.absent))
                continue
            scan = Scan(subject, item.session, item.path, labels.of[item.key], item.axes)
            _refuse_same_name(scans, scan)
            scans[scan.name] = scan
    keys = {item.key for item in ordered}
    missing = [key for key in labels.of if key not in keys]
    why = f"has a label in {labels.source} but no scan"
    left += [_Left(key, "has a label but no scan", why) for key in missing]
    nameless = {item.key for item in rest} - set(labels.of) - set(labels.refused)
    _refuse_near_misses(sorted(nameless), missing, labels)
    told = tuple((one.what, one.why or one.reason) for one in left)
    _check_classes(scans, classes, labels, ordered, told)
    reasons = {one.what: one.reason for one in left}
    return Listing(tuple(scans.values()), told, tuple(taken), excluded_by=excluded, reasons=reasons)


class _Left(NamedTuple):
    """What is left out, the reason without any name, and with names if that says more."""

    what: str
    reason: str
    why: str = ""


def _excluded(
    ordered: Sequence[Found], labels: Labels, exclude: Sequence[str]
) -> tuple[dict[str, str], list[Found]]:
    """Part the files that are excluded, with which entry did it, from the others."""
    used: set[str] = set()
    left: dict[str, str] = {}
    rest: list[Found] = []
    for item in ordered:
        hits = [entry for entry in exclude if _names(entry, item)]
        used.update(hits)
        if hits:
            left[str(item.path)] = hits[0]
        else:
            rest.append(item)
    known = {*labels.of, *labels.refused}
    if unknown := [entry for entry in exclude if entry not in used and entry not in known]:
        raise ValueError(
            f"the prepare parameter 'exclude' names {shown([*map(repr, unknown)])}, and there is "
            f"no such subject, scan or file; scans are called such as "
            f"{shown([scan_name(item.subject, item.session) for item in ordered])}"
        )
    return left, rest


def _names(entry: str, item: Found) -> bool:
    scan = scan_name(item.subject, item.session)
    if entry in (item.subject, scan, item.path.name, str(item.path)):
        return True
    return fnmatchcase(item.path.name, entry) or fnmatchcase(str(item.path), entry)


def _choose(
    subject: str,
    items: Sequence[Found],
    sessions: str,
    times: Callable[[str, Sequence[str]], Timetable],
) -> tuple[list[Found], list[_Left], list[tuple[str, str]]]:
    """Choose among a subject's scans: those used, those left out and why, what was taken."""
    groups: dict[str, dict[Path, Found]] = defaultdict(dict)
    for item in items:
        groups[item.session][item.path] = item
    if len(items) == 1:
        return list(items), [], []
    table = times(subject, list(groups))
    left: list[_Left] = []
    taken: list[tuple[str, str]] = []
    try:
        if len(groups) > 1 and sessions == "first":
            first, how = first_session({name: list(of) for name, of in groups.items()}, table)
            others = [path for name, of in groups.items() if name != first for path in of]
            why = f"is a further session of {subject}: {first} is used, the first {how}"
            left += [_Left(str(path), "is a further session", why) for path in others]
            taken.append((scan_name(subject, first), f"the first of {len(groups)} sessions, {how}"))
            groups = {first: groups[first]}
        chosen = []
        for session, of in groups.items():
            path, name = next(iter(of)), scan_name(subject, session)
            if len(of) > 1:
                path, how = first_scan(list(of), table)
                why = f"is another scan of {name}: {path.name} is used, the first {how}"
                reason = "is another scan of a session"
                left += [_Left(str(other), reason, why) for other in of if other != path]
                taken.append((name, f"{path.name}, the first of {len(of)} scans, {how}"))
            chosen.append(of[path])
    except ValueError as error:
        raise ValueError(f"{subject} {error}") from error
    return chosen, left, taken


def _refuse_same_name(scans: Mapping[str, Scan], scan: Scan) -> None:
    if scan.session:
        path_part(scan.session, "session", scan.path)
    if other := scans.get(scan.name):
        raise ValueError(
            f"{other.path} and {scan.path} are of two subjects or sessions whose files would both "
            f"be called {scan.name}; rename one"
        )


def _refuse_near_misses(scans: Sequence[str], labels: Sequence[str], table: Labels) -> None:
    """Refuse names that only nearly match: their subjects would silently be missing."""
    if pairs := near_misses(scans, labels):
        words = [f"{scan!r} of the scans and {label!r} of the table" for scan, label in pairs]
        raise ValueError(
            f"{table.source} names {len(pairs)} of its rows nearly as their scans, but not quite: "
            f"{shown(words)}; write the names of the scans into the table"
        )


def _check_classes(
    scans: Mapping[str, Scan],
    classes: Sequence[str],
    labels: Labels,
    found: Sequence[Found],
    left: Sequence[tuple[str, str]],
) -> None:
    counts = Counter(scan.label for scan in scans.values())
    empty = " or ".join(repr(name) for name in classes if not counts[name])
    if empty or not scans:
        lacking = f"the label {empty}" if classes else "a score"
        examples = "; ".join(f"{what} {why}" for what, why in left[:3])
        raise ValueError(
            f"no scan has {lacking}: {len(found)} scans and "
            f"{len(labels.of)} labels in {labels.source}; {len(scans)} of them match"
            + (f" ({examples})" if examples else "")
        )
