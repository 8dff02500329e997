"""The plan of a study: its pictures, its runs, and the jobs that train them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.prepared.shard_answers import members
from structnets.data.sets.pictures import PictureList, label_places, load_list
from structnets.files import read_json, write_json
from structnets.forms.picture_labels.subset import parts as labelled_parts
from structnets.forms.picture_scores.units import parts, spread
from structnets.identity import prepared_name
from structnets.pictures.gathering import Gathered, gather
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.plan import Plan
from structnets.reporting.study_runs import PlannedStudy
from structnets.specs.configuration import Configuration
from structnets.specs.experiment import Resources
from structnets.specs.study import Study, load_study
from structnets.specs.study.resolution import StudyRun, study_runs
from structnets.specs.validation import load_yaml
from structnets.training.run_files import is_published

PINNED = "STRUCTNETS_STUDY_LIST"
"""Environment variable that tells the jobs of a call which list of pictures it was planned with."""
RUNS_OF_A_JOB = 12
_MADE = ".made.json"


@dataclass(frozen=True)
class StudyPlan(PlannedStudy):
    """What a call with ``--config study=FILE`` makes.

    Attributes
    ----------
    file : Path
        Of the study.
    study : Study
        What it says.
    list_file : Path
        The list of its pictures (`structnets.data.sets.pictures.PictureList`).
    gathered : Gathered
        The pictures, what was left out, and warnings.
    runs : list of StudyRun
        All of them.
    """

    file: Path
    study: Study
    list_file: Path
    gathered: Gathered
    runs: list[StudyRun]

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.study

    @property
    def jobs(self) -> dict[str, list[str]]:
        """The runs of each training job, by the job's name.

        The largest are dealt out first, so that jobs take equally long. A job is named after its
        runs: another seed makes another job, in which what was trained before is passed over.
        """
        largest = sorted(self.runs, key=lambda run: (-run.size, run.row, run.seed))
        return self.deal(largest, RUNS_OF_A_JOB)


def plan_study(
    configuration: Configuration, progress: Callable[[int, int], None] = lambda done, total: None
) -> StudyPlan | None:
    """Read the study that a configuration names and list its pictures; None if it names none.

    The list is written below ``scratch``. Jobs of a call read the one that it was planned with,
    whatever has changed in the folder since.

    Raises
    ------
    ValueError, OSError
        As `load_study`, `gather` and `study_runs` say.
    """
    if configuration.study is None:
        return None
    file = Path(configuration.study).resolve()
    study = load_study(file)
    folder = lists_folder(configuration.scratch)
    pinned = os.environ.get(PINNED)
    if pinned:
        path = Path(pinned)
        gathered = _recalled(path)
    else:
        gathered = gather(study, file, folder / "checksums", progress)
        path = gathered.pictures.save(folder)
        notes = {"left_out": gathered.left_out, "warnings": gathered.warnings}
        if not _notes(path).is_file() or read_json(_notes(path)) != _plain(notes):
            write_json(_notes(path), notes)
    listed = gathered.pictures
    training = len(listed.of_split("train"))
    runs = list(study_runs(study, listed.digest, len(listed.classes), training))
    if study.kind in _REFUSED:
        _REFUSED[study.kind](listed, runs)
    planned = StudyPlan(file, study, path, gathered, runs)
    if not pinned:
        remember(planned, configuration, gathered.memory)
    return planned


def _refuse_equal_scores(listed: PictureList, runs: Sequence[StudyRun]) -> None:
    """Refuse a training whose pictures all have one score, before anything is trained."""
    scores = np.array([float(picture.label) for picture in listed.of_split("train")])
    for run in runs:
        train, _ = parts(run.spec, len(scores))
        spread(scores[train], f"the {run.size} pictures of seed {run.seed}")


def _refuse_bare_labels(listed: PictureList, runs: Sequence[StudyRun]) -> None:
    """Refuse a training whose pictures all have a label, or none has, before anything is."""
    names = listed.classes
    places = [label_places(picture, names) for picture in listed.of_split("train")]
    sets = members(places, len(names))
    for run in runs:
        labelled_parts(run.spec, sets, names)


_REFUSED = {"regression": _refuse_equal_scores, "multilabel": _refuse_bare_labels}


@dataclass(frozen=True)
class Made:
    """What calls of a study have made so far, of whatever pictures there were.

    Attributes
    ----------
    runs, prepared, lists, memories, subjects : set of str
        Run ids, folders of prepared data, digests of lists, files of checksums below the folder
        of lists, folders of registered scans.
    """

    runs: set[str]
    prepared: set[str]
    lists: set[str]
    memories: set[str]
    subjects: set[str]


def made_by(study: str, scratch: str | Path) -> Made:
    """Return what a study has made."""
    found = _registered(study, scratch)
    return Made(*(set(found.get(field.name, ())) for field in fields(Made)))


def file_of(study: str, scratch: str | Path) -> Path | None:
    """Return the file of the study that has run under a name; None if that is not known."""
    found = _registered(study, scratch).get("file")
    return None if found is None else Path(found)


def studies_of(scratch: str | Path) -> list[str]:
    """Return the names of the studies that have made anything."""
    return sorted(path.name[: -len(_MADE)] for path in lists_folder(scratch).glob(f"*{_MADE}"))


def remember(
    planned: StudyPlan | CohortPlan, configuration: Configuration, memory: Path | None
) -> None:
    """Write down what a study makes, for who wants to be rid of it.

    Raises
    ------
    ValueError
        If it is called as a target, or if what has run under its name is of another file. One that
        was moved is known by its runs.
    """
    if Path(configuration.targets, f"{planned.name}.yaml").is_file():
        raise ValueError(
            f"{planned.file}: a study cannot be called {planned.name}, as a target is: MLflow "
            "would have one entry for both. Give it another name (study: in its file)"
        )
    scratch, folder = configuration.scratch, lists_folder(configuration.scratch)
    before, file = made_by(planned.name, scratch), file_of(planned.name, scratch)
    runs = {run.run_id for run in planned.runs}
    if file not in (None, planned.file):
        there = _is_called(file, planned.name)
        if there or not runs & before.runs:
            raise ValueError(
                f"{planned.file}: a study called {planned.name} has run already, that of {file}, "
                "whose report this one would overwrite. Give this one another name (study: in its "
                f"file), or remove what the other has made: structnets forget {planned.name}. "
                + (
                    "If one is a copy of the other, remove a file"
                    if there
                    else "If this is the same study, moved, call it once as it was before"
                )
            )
    memories = set() if memory is None else {memory.relative_to(folder).as_posix()}
    cohort = isinstance(planned, CohortPlan)
    subjects = {planned.request.subjects_name()} if cohort else set()
    now = Made(
        before.runs | runs,
        before.prepared | {prepared_name(run.spec["data"]) for run in planned.runs},
        before.lists | {planned.list_file.stem},
        before.memories | memories,
        before.subjects | subjects,
    )
    if now != before or file != planned.file:
        content = {field.name: sorted(getattr(now, field.name)) for field in fields(now)}
        write_json(_register(planned.name, scratch), {**content, "file": str(planned.file)})


def lists_folder(scratch: str | Path) -> Path:
    """Return where the lists of pictures lie."""
    return Path(scratch).resolve() / "lists"


def _register(study: str, scratch: str | Path) -> Path:
    return lists_folder(scratch) / f"{study}{_MADE}"


def _registered(study: str, scratch: str | Path) -> dict[str, Any]:
    path = _register(study, scratch)
    return read_json(path) if path.is_file() else {}


def _is_called(file: Path, name: str) -> bool:
    """Whether a file is there and is of a study of that name still."""
    try:
        content = load_yaml(file)
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("study") == name


def _notes(path: Path) -> Path:
    return path.with_suffix(".notes.json")


def _plain(notes: dict[str, list[tuple[str, str]] | list[str]]) -> dict[str, list[list[str] | str]]:
    return {
        key: [list(entry) if isinstance(entry, tuple) else entry for entry in entries]
        for key, entries in notes.items()
    }


def _recalled(path: Path) -> Gathered:
    listed: PictureList = load_list(path)
    notes = read_json(_notes(path))
    return Gathered(listed, [(a, b) for a, b in notes["left_out"]], notes["warnings"])


def with_study(
    plan: Plan, planned: StudyPlan | CohortPlan | None, configuration: Configuration
) -> Plan:
    """Add the runs of a study to a plan."""
    if planned is None:
        return plan
    specs = {run.run_id: run.spec for run in planned.runs}
    usual = Resources(size="small" if configuration.preset == "smoke" else "medium")
    return replace(
        plan,
        specs={**plan.specs, **specs},
        resources={**dict.fromkeys(specs, usual), **plan.resources},
        uses={**plan.uses, **{run: [*plan.uses.get(run, ()), planned.name] for run in specs}},
    )


def forget_broken_jobs(planned: StudyPlan | CohortPlan, results: str) -> None:
    """Remove the mark of every job of which a run is not there any more, so that it runs again."""
    specs = {run.run_id: run.spec for run in planned.runs}
    for job, runs in planned.jobs.items():
        marker = planned.marker(job, results)
        done = all(is_published(Path(results) / "runs" / run, specs[run]) for run in runs)
        if marker.exists() and not done:
            marker.unlink()
