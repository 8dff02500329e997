"""The plan of a study of a cohort: its people, its runs, and the jobs that train them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.cohorts.content import digest_scans, read_checksums
from structnets.cohorts.copies import refuse_equal_files
from structnets.cohorts.listing import Scan
from structnets.cohorts.naming import shown
from structnets.cohorts.request import CohortRequest
from structnets.cohorts.unreadable import unreadable
from structnets.files import read_json, write_json
from structnets.identity import prepared_name
from structnets.reporting.score_warnings import refuse_without_spread, scan_warnings
from structnets.reporting.study_runs import PlannedStudy
from structnets.specs.cohort_study import (
    FEWEST,
    FEWEST_SCORED,
    CohortRun,
    CohortStudy,
    cohort_runs,
    inner_folds,
    load_cohort_study,
)
from structnets.specs.configuration import Configuration

_RUNS_OF_A_JOB = 24
NO_LINEAR = "There are too few people for the linear row, which chooses its penalty."


@dataclass(frozen=True)
class CohortPlan(PlannedStudy):
    """What a call with ``--config study=FILE`` makes, of a cohort.

    Attributes
    ----------
    file : Path
        Of the study.
    study : CohortStudy
        What it says.
    list_file : Path
        The scans, what was left out, and what was taken among several.
    listed : mapping
        Its content.
    request : CohortRequest
        What is prepared.
    runs : list of CohortRun
        All of them.
    """

    file: Path
    study: CohortStudy
    list_file: Path
    listed: Mapping[str, Any]
    request: CohortRequest
    runs: list[CohortRun]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.study

    @property
    def data(self) -> dict[str, Any]:
        """The ``data`` object of its specs."""
        return {"name": self.request.name, "prepare": dict(self.request.prepare)}

    @property
    def prepared(self) -> str:
        """Name of the prepared cohort."""
        return prepared_name(self.data)

    @property
    def parts(self) -> int:
        """Number of parts that are held out in turn."""
        return len(groups_of(self.study, self.listed)) or self.study.folds

    @property
    def jobs(self) -> dict[str, list[str]]:
        """The runs of each training job, by the job's name, dealt so that jobs take equally long.

        A run is in the job that its place in its row says: another row leaves the jobs their parts.
        """
        return self.deal(self.runs, _RUNS_OF_A_JOB)

    def scans(self) -> list[tuple[Scan, str]]:
        """Return the scans, without their places, and the checksums of their files."""
        return [
            (Scan(told["subject"], told["session"], Path(), told["label"]), told["sha256"])
            for told in self.listed["scans"]
        ]

    def warnings(self) -> list[str]:
        """Say what a reader must know before any number."""
        return list_warnings(self.study, self.listed)


def plan_cohort(configuration: Configuration, lists: Path, pinned: str | None) -> CohortPlan:
    """Read the study that a configuration names and list its cohort.

    Parameters
    ----------
    configuration : Configuration
        With the file of a study.
    lists : Path
        Folder of lists; jobs of a call read the one that it was planned with.
    pinned : str, optional
        That list's file.

    Raises
    ------
    ValueError, OSError
        As the listing says, or if there are so few people that a number would mean nothing, or
        none of a class without what is left out.
    """
    file = Path(str(configuration.study)).resolve()
    study = load_cohort_study(file)
    folder = study.folder(file)
    request = CohortRequest(study.dataset, study.prepare(), folder)
    path = Path(pinned) if pinned else _list(request, lists)
    listed = read_json(path)
    request = CohortRequest(study.dataset, {**study.prepare(), "content": path.stem}, folder)
    if study.regression:
        refuse_without_spread(study, listed["scans"])
    counts = people(listed["scans"], study)
    least = FEWEST_SCORED if study.regression else FEWEST
    few = {name: count for name, count in counts.items() if count < least}
    if few and study.few == "stop":
        said = " and ".join(f"{count} {of_what(study, name)}" for name, count in few.items())
        raise ValueError(
            f"{file}: there are only {said}: any number from so few people says next to nothing. "
            f"Add people, or write few: run into {file.name} to have it all the same"
        )
    left = left_for_training(study, listed)
    _refuse_bare(study, listed, left)
    parts = len(groups_of(study, listed)) or study.folds
    runs = list(cohort_runs(study, path.stem, parts, left))
    if not runs:
        raise ValueError(f"{file}: too few people for any model; add people")
    return CohortPlan(file, study, path, listed, request, runs)


def people(scans: Sequence[Mapping[str, Any]], study: CohortStudy) -> dict[str, int]:
    """Count the people of each class; with scores they are one, called by the score."""
    of = {name: {s["subject"] for s in scans if s["label"] == name} for name in study.classes}
    if study.regression:
        of = {study.label: {s["subject"] for s in scans}}
    return {name: len(found) for name, found in of.items()}


def of_what(study: CohortStudy, name: str) -> str:
    """Say what people are of, in words."""
    return f"with a score {name!r}" if study.regression else f"of class {name!r}"


def left_for_training(study: CohortStudy, listed: Mapping[str, Any]) -> dict[str, int]:
    """Count the people of each class that are left for training at least."""
    counts = people(listed["scans"], study)
    if study.leave_out is None:
        return {name: count - -(-count // study.folds) for name, count in counts.items()}
    groups = groups_of(study, listed)
    if study.regression:
        most = max(len({subject for subject, _ in people}) for people in groups.values())
        return {study.label: counts[study.label] - most}
    held = {(group, label): n for group, people in groups.items()
            for label, n in Counter(label for _, label in people).items()}  # fmt: skip
    return {
        name: count - max((n for (_, label), n in held.items() if label == name), default=0)
        for name, count in counts.items()
    }


def _refuse_bare(study: CohortStudy, listed: Mapping[str, Any], left: Mapping[str, int]) -> None:
    """Refuse to leave out a group that has all people of a class: trainings would not know it."""
    if bare := [name for name, count in left.items() if count < 1]:
        of_class = {
            group: sum(label == bare[0] for _, label in people)
            for group, people in groups_of(study, listed).items()
        }
        group = max(of_class, key=of_class.__getitem__)
        raise ValueError(
            f"leave_out: {study.leave_out}: without {group} nobody of class {bare[0]!r} is left to "
            "train on; leave out what has no class for itself, or write folds in its place"
        )


def groups_of(study: CohortStudy, listed: Mapping[str, Any]) -> dict[str, set[tuple[str, str]]]:
    """Return who is left out together, people with their labels, by group; none with folds.

    A list is of a content, which studies that leave out otherwise share.
    """
    found: dict[str, set[tuple[str, str]]] = {}
    for scan in listed["scans"] if study.leave_out else []:
        of_person = study.leave_out == "subject"
        group = scan["subject"] if of_person else scan["traits"][study.leave_out]
        found.setdefault(group, set()).add((scan["subject"], scan["label"]))
    return found


def list_warnings(study: CohortStudy, listed: Mapping[str, Any]) -> list[str]:
    """Say what a reader must know before any number."""
    if study.regression:
        return scan_warnings(study, listed["scans"])
    lacks = inner_folds(left_for_training(study, listed)) is None
    return [*class_warnings(study, listed["scans"]), *([NO_LINEAR] if lacks else [])]


def class_warnings(study: CohortStudy, scans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what a reader must know of the people of classes."""
    counts = people(scans, study)
    total, most = sum(counts.values()), max(counts.values())
    found = []
    if min(counts.values()) < 50:
        said = " and ".join(f"{count} {name}" for name, count in counts.items())
        found.append(
            f"Only {total} people ({said}). With so few, scores vary widely from sample to sample: "
            "read the interval, not the number."
        )
    if most > 0.6 * total:
        name = max(counts, key=lambda key: counts[key])
        found.append(
            f"{most} of {total} people are {name}: who always says {name} is right in "
            f"{100 * most / total:.1f} %. Compare balanced accuracy, whose chance level is "
            f"{percent(100 / len(counts))}."
        )
    if len(scans) > total:
        found.append(
            f"{len(scans)} scans are of {total} people; those of one are held out "
            "together, and scores count scans."
        )
    return found


def percent(value: float) -> str:
    """Write a percentage with a decimal where it has one: 50 %, 33.3 %."""
    return f"{value:.1f}".removesuffix(".0") + " %"


def _list(request: CohortRequest, lists: Path) -> Path:
    """List a cohort and write the list under the digest of its content."""
    root = request.folder_in(Path())
    listing = request.list_scans(root)
    if not request.exclude_failed and (unread := unreadable(listing)):
        raise ValueError(
            f"{len(unread)} of {len(listing.scans)} scans cannot be read: {shown(unread, '; ')}. "
            "Copy or convert them anew, name them in exclude, or write exclude_failed: true, "
            "which leaves them out with those that quality control flags"
        )
    found = read_checksums(request, listing, root, lists)
    refuse_equal_files(found)
    path = lists / f"{digest_scans(found)}.json"
    content = {
        "scans": [
            {
                **{key: getattr(scan, key) for key in ("subject", "session", "label")},
                "traits": dict(scan.traits),
                "sha256": sha256,
            }
            for scan, sha256 in found
        ],
        "left_out": [list(entry) for entry in listing.left_out],
        "reasons": dict(listing.reasons),
        "excluded_by": dict(listing.excluded_by),
        "taken": [list(entry) for entry in listing.taken],
    }
    if not path.is_file() or read_json(path) != content:
        write_json(path, content)
    return path
