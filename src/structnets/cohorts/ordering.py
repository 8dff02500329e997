"""Which scan of a subject came first: by times of acquisition or numbers, never by text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from structnets.cohorts.naming import numbers_in
from structnets.cohorts.sheet import read_rows
from structnets.foreign.missing import is_missing

_RUN = re.compile(r"_run-\d+(?=[_.])")


@dataclass(frozen=True)
class Timetable:
    """When a subject was scanned, as far as its data set tells.

    Attributes
    ----------
    sessions : mapping
        Time of each session.
    scans : mapping
        Time of each file, by its path.
    listed : sequence of str
        Sessions in the order in which the data set lists them.
    source : str
        Where the sessions are listed, for messages.
    """

    sessions: Mapping[str, datetime] = field(default_factory=dict)
    scans: Mapping[Path, datetime] = field(default_factory=dict)
    listed: Sequence[str] = ()
    source: str = "a table of sessions"


def read_timetable(root: Path, subject: str, sessions: Iterable[str]) -> Timetable:
    """Read what BIDS says of a subject's times: ``*_sessions.tsv`` and ``*_scans.tsv``.

    Raises
    ------
    ValueError
        If a time cannot be read, with file and line, or a table is damaged.
    """
    folder = root / subject
    table = folder / f"{subject}_sessions.tsv"
    rows = _rows(table, "session_id")
    times = {name: time for name, time in rows if time is not None}
    scans: dict[Path, datetime] = {}
    for session in sessions:
        inside = folder / session
        name = f"{subject}_{session}_scans.tsv" if session else f"{subject}_scans.tsv"
        found = _rows(inside / name, "filename")
        scans |= {inside / file: time for file, time in found if time is not None}
    return Timetable(times, scans, [name for name, _ in rows], table.name)


def first_session(sessions: Mapping[str, Sequence[Path]], times: Timetable) -> tuple[str, str]:
    """Choose a subject's first session.

    Parameters
    ----------
    sessions : mapping
        Scans of each session, by its name.
    times : Timetable
        When they were acquired.

    Returns
    -------
    session, how : str
        Its name, and what the order is by.

    Raises
    ------
    ValueError
        If neither times, nor numbers in the names, nor a table of sessions tell.
    """
    names = list(sessions)
    known = [_time_of(name, sessions[name], times) for name in names]
    if None not in known and len(set(known)) == len(known):
        return names[known.index(min(filter(None, known)))], "by time of acquisition"
    if (numbers := numbers_in(names)) is not None:
        return names[numbers.index(min(numbers))], "by number"
    if set(names) <= set(times.listed):
        return min(names, key=times.listed.index), f"in the order of {times.source}"
    raise ValueError(
        f"has the sessions {', '.join(names)}, and neither times (acq_time) nor numbers nor "
        f"{times.source} tell which came first; say so in {times.source}, or ask for all "
        "(prepare parameter 'sessions': 'all')"
    )


def first_scan(scans: Sequence[Path], times: Timetable) -> tuple[Path, str]:
    """Choose the first scan of one session.

    Returns
    -------
    scan, how
        Its path, and what the order is by.

    Raises
    ------
    ValueError
        If neither times nor numbers in the names tell.
    """
    known = [times.scans.get(path) for path in scans]
    if None not in known and len(set(known)) == len(known):
        return scans[known.index(min(filter(None, known)))], "by time of acquisition"
    # Other numbers in a name, as in acq-2mm, are no order in time.
    runs = [_RUN.findall(path.name) for path in scans]
    others = {_RUN.sub("", path.name) for path in scans}
    if len(others) == 1 and (numbers := numbers_in(["".join(run) for run in runs])) is not None:
        return scans[numbers.index(min(numbers))], "by number"
    names = ", ".join(path.name for path in scans)
    raise ValueError(
        f"has several scans of one session, {names}, and neither times (acq_time) nor numbers "
        "tell which is meant; name those to leave out in the prepare parameter 'exclude'"
    )


def _time_of(session: str, scans: Sequence[Path], times: Timetable) -> datetime | None:
    stated = [time for path in scans if (time := times.scans.get(path)) is not None]
    return times.sessions.get(session) or (min(stated) if len(stated) == len(scans) else None)


def _rows(table: Path, key: str) -> list[tuple[str, datetime | None]]:
    if not table.exists():
        return []
    return [
        (row[key], _read_time(table, line, row.get("acq_time", "")))
        for line, row in read_rows(table, [key])
    ]


def _read_time(table: Path, line: int, text: str) -> datetime | None:
    if is_missing(text):
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(
            f"{table}, line {line}: acq_time {text!r} is no time; expected such as "
            "2009-06-15T13:45:30, or n/a"
        ) from error
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)
