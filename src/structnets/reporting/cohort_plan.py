"""The plan of a study of a cohort: its people, its runs, and the jobs that train them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.cohorts.content import digest_scans, read_checksums
from structnets.cohorts.fold_sizes import group_of
from structnets.cohorts.listing import Scan
from structnets.cohorts.request import CohortRequest
from structnets.files import read_json, write_json
from structnets.identity import prepared_name
from structnets.reporting.study_runs import PlannedStudy
from structnets.specs.cohort_study import (
    FEWEST,
    CohortRun,
    CohortStudy,
    cohort_runs,
    inner_folds,
    load_cohort_study,
)
from structnets.specs.configuration import Configuration

_RUNS_OF_A_JOB = 24


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
        return self.listed["parts"]

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
        As the listing says, or if there are so few people that a number would mean nothing.
    """
    file = Path(str(configuration.study)).resolve()
    study = load_cohort_study(file)
    folder = study.folder(file)
    request = CohortRequest("cohort", study.prepare(), folder)
    path = Path(pinned) if pinned else _list(request, lists)
    listed = read_json(path)
    request = CohortRequest("cohort", {**study.prepare(), "content": path.stem}, folder)
    counts = people(listed["scans"], study.classes)
    few = {name: count for name, count in counts.items() if count < FEWEST}
    if few and study.few == "stop":
        said = " and ".join(f"{count} of class {name!r}" for name, count in few.items())
        raise ValueError(
            f"{file}: there are only {said}: any number from so few people says next to nothing. "
            f"Add people, or write few: run into {file.name} to have it all the same"
        )
    left = left_for_training(study, listed)
    runs = list(cohort_runs(study, path.stem, listed["parts"], left))
    if not runs:
        raise ValueError(f"{file}: too few people for any model; add people")
    return CohortPlan(file, study, path, listed, request, runs)


def people(scans: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> dict[str, int]:
    """Count the people of each class."""
    of = {name: {s["subject"] for s in scans if s["label"] == name} for name in classes}
    return {name: len(found) for name, found in of.items()}


def left_for_training(study: CohortStudy, listed: Mapping[str, Any]) -> dict[str, int]:
    """Count the people of each class that are left for training at least."""
    counts = people(listed["scans"], study.classes)
    if study.leave_out is None:
        return {name: count - -(-count // listed["parts"]) for name, count in counts.items()}
    groups = {s["subject"]: (s["group"], s["label"]) for s in listed["scans"]}
    held = Counter(groups.values())
    return {
        name: count - max((n for (_, label), n in held.items() if label == name), default=0)
        for name, count in counts.items()
    }


def list_warnings(study: CohortStudy, listed: Mapping[str, Any]) -> list[str]:
    """Say what a reader must know before any number."""
    counts = people(listed["scans"], study.classes)
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
    if len(listed["scans"]) > total:
        found.append(
            f"{len(listed['scans'])} scans are of {total} people; those of one are held out "
            "together, and scores count scans."
        )
    if inner_folds(left_for_training(study, listed)) is None:
        found.append("There are too few people for the linear row, which chooses its penalty.")
    return found


def percent(value: float) -> str:
    """Write a percentage with a decimal where it has one: 50 %, 33.3 %."""
    return f"{value:.1f}".removesuffix(".0") + " %"


def _list(request: CohortRequest, lists: Path) -> Path:
    """List a cohort and write the list under the digest of its content."""
    root = request.folder_in(Path())
    listing = request.list_scans(root)
    found = read_checksums(request, listing, root, lists)
    path = lists / f"{digest_scans(found)}.json"
    groups = {group_of(request.leave_out, scan) for scan in listing.scans if request.leave_out}
    content = {
        "scans": [_told(request, scan, sha256) for scan, sha256 in found],
        "left_out": [list(entry) for entry in listing.left_out],
        "taken": [list(entry) for entry in listing.taken],
        "parts": len(groups) if request.leave_out else request.folds,
    }
    if not path.is_file() or read_json(path) != content:
        write_json(path, content)
    return path


def _told(request: CohortRequest, scan: Scan, sha256: str) -> dict[str, Any]:
    told: dict[str, Any] = {"subject": scan.subject, "session": scan.session, "label": scan.label}
    group = group_of(request.leave_out, scan) if request.leave_out else ""
    return {**told, "traits": dict(scan.traits), "sha256": sha256, "group": group}
