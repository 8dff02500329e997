"""Whether there are people enough for folds, inside the training part too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from structnets.cohorts.listing import Scan
from structnets.cohorts.naming import shown
from structnets.foreign.missing import is_missing
from structnets.foreign.near_names import refuse_near_names
from structnets.specs.inner_folds import leave_every_class


def refuse_few(subjects: Mapping[str, int], folds: int) -> None:
    """Refuse to deal classes with fewer subjects than folds.

    Parameters
    ----------
    subjects : mapping
        Number of subjects of each class.
    folds : int
        Number of folds.

    Raises
    ------
    ValueError
        Naming the classes and the numbers.
    """
    if few := {name: count for name, count in subjects.items() if count < folds}:
        counts = " and ".join(f"class {name!r} has {count} subjects" for name, count in few.items())
        least = min(few.values())
        remedy = (
            f"ask for at most {least} folds (prepare parameter 'folds'), or add subjects"
            if least > 1
            else "add subjects: two folds need two of each class"
        )
        raise ValueError(f"{counts}, too few for {folds} folds; {remedy}")


def refuse_few_scored(subjects: int, folds: int) -> None:
    """Refuse to deal fewer than two subjects to each fold, or to train on fewer than three.

    Raises
    ------
    ValueError
        Naming the numbers.
    """
    if subjects < 2 * folds or subjects < 4:
        remedy = f"ask for at most {subjects // 2} folds, or add" if subjects >= 4 else "add"
        raise ValueError(
            f"{subjects} subjects have a score, too few for {folds} folds of two or more; {remedy} "
            "subjects"
        )


def group_of(leave_out: str, scan: Scan) -> str:
    """Return what a scan is left out with: its subject, or the value of a column."""
    return scan.subject if leave_out == "subject" else scan.traits[leave_out]


def refuse_few_groups(leave_out: str, groups: Iterable[str]) -> None:
    """Refuse to leave out one of fewer than two groups, or groups of no, or nearly one, name."""
    found = set(groups)
    if missing := sorted(filter(is_missing, found)):
        raise ValueError(
            f"leave_out: {leave_out}: the column is empty (or n/a) for some ({missing[0]!r}); fill "
            "it, or exclude those subjects (a group of that name needs another)"
        )
    if len(found) < 2:
        raise ValueError(
            f"leave_out: {leave_out}: there is only {', '.join(sorted(found)) or 'none'}; two are "
            "needed, one to train on and one to test"
        )
    refuse_near_names(found, f"groups of leave_out: {leave_out},")


def refuse_lost_groups(leave_out: str, listed: Iterable[Scan], used: Iterable[Scan]) -> None:
    """Refuse to go on without a group that a study was planned to leave out.

    Each group has a run, and that of a group without scans would fail after all others.

    Parameters
    ----------
    leave_out : str
        ``subject``, or a column.
    listed : iterable of Scan
        Those that the study was planned with.
    used : iterable of Scan
        Those that quality control has left of them.

    Raises
    ------
    ValueError
        Naming the groups, and the scans that are to be excluded.
    """
    left = {group_of(leave_out, scan) for scan in used}
    lost = [scan for scan in listed if group_of(leave_out, scan) not in left]
    if lost:
        groups = sorted({group_of(leave_out, scan) for scan in lost})
        raise ValueError(
            f"leave_out: {leave_out}: quality control leaves no scan of {shown(groups)}; after a "
            f"look at them write exclude: {[scan.name for scan in lost]} into the study, and call "
            "it again (nothing is registered twice)"
        )


def refuse_few_inside(subjects: Mapping[str, int], folds: int, inner: int) -> None:
    """Refuse inner folds for which the training part of a fold has too few subjects.

    Parameters
    ----------
    subjects : mapping
        Number of subjects of each class.
    folds : int
        Number of folds, which deal the subjects of each class as evenly as can be.
    inner : int
        Folds in which parameters are chosen, of the training part alone.

    Raises
    ------
    ValueError
        Naming the classes and the numbers.
    """
    left = {name: count - -(-count // folds) for name, count in subjects.items()}
    name, least = min(left.items(), key=lambda item: item[1])
    if not leave_every_class(sum(left.values()), least, inner):
        raise ValueError(
            f"class {name!r} has {subjects[name]} subjects, of which {folds} folds leave "
            f"{least} for training: too few for {inner} inner folds; ask for other inner folds "
            "(recipe folds), or add subjects"
        )


def subjects_of_classes(scans: Iterable[Scan], classes: Iterable[str]) -> dict[str, int]:
    """Count the subjects of each class."""
    of_class: dict[str, set[str]] = defaultdict(set)
    for scan in scans:
        of_class[scan.label].add(scan.subject)
    return {name: len(of_class[name]) for name in classes}
