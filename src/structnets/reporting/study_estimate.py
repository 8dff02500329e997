"""What a study will take before it starts: runs, hours on this machine, gigabytes.

Two steps of each model are timed once, in a process of its own, and remembered beside the lists of
pictures or scans: ``python -m structnets.reporting.study_estimate [SPEC…]`` prints what was found.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.data.sets.entries.catalogue import find_dataset
from structnets.files import read_json, write_json
from structnets.identity import digest
from structnets.processors import available_processors
from structnets.reporting.cohort_plan import CohortPlan
from structnets.reporting.study_plan import StudyPlan, lists_folder
from structnets.specs.cohort_study import CohortRun
from structnets.specs.resolved import ResolvedSpec
from structnets.specs.study.resolution import StudyRun
from structnets.training.run_files import is_published

RUN_S, STUDY_S = 3.0, 60.0  # what a run, and a study, take besides computing
_PICTURES_PER_S = 100.0  # decoded and stored, by one processor
_SCAN_S = 30.0  # to register a scan from native space
_SCAN_BYTES = 1.2e6  # of a registered scan, at 2 mm
_FITTED_S = 5.0  # a linear row, with the folds inside
_COPIES = 4  # a run keeps its weights, and of its last state weights, momenta and one more
_TIMED = 2


@dataclass(frozen=True)
class Estimate:
    """What a study will take.

    Attributes
    ----------
    runs, left : int
        Trainings in all, and those that are not there yet.
    hours : float
        On this machine, of what is left.
    gigabytes : float
        On disk, of everything.
    scans : int
        Scans that are not registered yet.
    """

    runs: int
    left: int
    hours: float
    gigabytes: float
    scans: int = 0

    def __str__(self) -> str:
        """Say it in one sentence."""
        if not self.left:
            return f"all {self.runs} trainings are there"
        first = (
            f", with {self.scans} scans to register first (taken at half a minute each; one that "
            "came registered takes less)"
            if self.scans
            else ""
        )
        return (
            f"{self.left} of {self.runs} trainings are to be made{first}: about "
            f"{_duration(self.hours)} on this machine, {self.gigabytes:.1f} GB on disk"
        )


def _duration(hours: float) -> str:
    minutes = 60 * hours
    return f"{hours:.1f} hours" if minutes >= 90 else f"{max(1, round(minutes))} minutes"


def estimate_study(
    planned: StudyPlan | CohortPlan, scratch: str, results: str, prepared: str
) -> Estimate:
    """Estimate a study, timing models that were not timed on this machine before.

    Raises
    ------
    ValueError
        If the study has a limit that is less.
    """
    known = _speeds(planned, speeds_file(scratch))
    total, left = {}, []
    for run in planned.runs:
        seconds, size = RUN_S + _FITTED_S, 0.0  # a fitted row keeps no more than its weights
        if run.spec["recipe"]["kind"] == "gradient":
            speed, (trained, tested) = known[speed_key(run.spec)], _pictures_of(planned, run)
            recipe: Any = run.spec["recipe"]
            steps = recipe["epochs"] * max(1, trained // recipe["batch_size"])
            seconds = RUN_S + steps * speed["step_s"] + tested * speed["test_s"]
            size = _COPIES * 4 * speed["parameters"]
        total[run.run_id] = size
        if not is_published(Path(results) / "runs" / run.run_id, run.spec):
            left.append(seconds)
    scans = _unregistered(planned, Path(prepared)) if left else 0
    processors = available_processors()
    parallel = max(1, min(processors, len(planned.jobs), len(left)))
    seconds = sum(left) / parallel + scans * _SCAN_S / processors
    stored, preparing = _stored(planned)
    seconds += STUDY_S + preparing if left else 0
    size = (sum(total.values()) + stored) / 1e9
    found = Estimate(len(total), len(left), seconds / 3600, size, scans)
    limit = planned.study.limit
    for name, value, most in (
        ("hours", found.hours, limit.hours),
        ("gigabytes", found.gigabytes, limit.gigabytes),
    ):
        if most is not None and value > most:
            of_cohort = isinstance(planned, CohortPlan)
            less = "folds, repeats or epochs" if of_cohort else "train_sizes, seeds or steps"
            raise ValueError(
                f"{planned.file}: the study is expected to take {value:.2g} {name}, its limit is "
                f"{most:g}: raise limit.{name}, or give fewer rows, {less}"
            )
    return found


def _pictures_of(planned: StudyPlan | CohortPlan, run: StudyRun | CohortRun) -> tuple[int, int]:
    """Return how many pictures or scans a run is trained and tested on."""
    if isinstance(run, StudyRun):
        assert isinstance(planned, StudyPlan)
        return run.size, len(planned.gathered.pictures.of_split("test"))
    assert isinstance(planned, CohortPlan)
    scans = len(planned.listed["scans"])
    tested = -(-scans // planned.parts)
    return scans - tested, tested


def _stored(planned: StudyPlan | CohortPlan) -> tuple[float, float]:
    """Return the bytes of what is prepared, and the seconds that takes, but for registration."""
    if isinstance(planned, CohortPlan):
        voxels = math.prod(_shape_of(planned.study.prepare()))
        return len(planned.listed["scans"]) * (_SCAN_BYTES + voxels), 0.0
    pictures = len(planned.gathered.pictures.pictures)
    return pictures * 3 * planned.study.pictures.side**2, pictures / _PICTURES_PER_S


def _unregistered(planned: StudyPlan | CohortPlan, prepared: Path) -> int:
    """Count the scans that are not registered yet."""
    if not isinstance(planned, CohortPlan):
        return 0
    folder = prepared / "subjects" / planned.request.subjects_name()
    names = (scan.name for scan, _ in planned.scans())
    return sum(not (folder / f"{name}.json").is_file() for name in names)


def speeds_file(scratch: str | Path) -> Path:
    """Return where is kept how fast models are."""
    return lists_folder(scratch) / "speeds.json"


def _speeds(planned: StudyPlan | CohortPlan, memory: Path) -> dict[str, dict[str, float]]:
    """Return how fast the models of a study are, timing those that are not known."""
    known = _remembered(memory)
    timed = [run.spec for run in planned.runs if run.spec["recipe"]["kind"] == "gradient"]
    unknown = {speed_key(spec): spec for spec in timed}
    unknown = {key: spec for key, spec in unknown.items() if key not in known}
    if unknown:
        known |= dict(zip(unknown, _time(list(unknown.values())), strict=True))
        write_json(memory, known)
    return known


def speed_key(spec: ResolvedSpec) -> str:
    """Name what decides how long a step takes."""
    recipe: Any = spec["recipe"]
    what = [spec["model"], recipe.get("crop"), recipe.get("batch_size"), recipe.get("amp")]
    if find_dataset(spec["data"]["name"]).cohort:
        what.append(_shape_of(spec["data"]["prepare"]))
    return digest([what, os.uname().nodename])[:16]


def _shape_of(prepare: Mapping[str, Any]) -> list[int]:
    """Return the shape (C, D, H, W) of a cohort's volumes."""
    from structnets.imaging.grid import grid_shape

    return [1, *grid_shape(prepare.get("grid_mm", 2), prepare.get("field_of_view", "whole"))]


def _remembered(path: Path) -> dict[str, dict[str, float]]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    keys = {"step_s", "test_s", "parameters"}
    entries = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in entries if isinstance(value, dict) and keys <= {*value}}


def _time(specs: list[ResolvedSpec]) -> list[dict[str, float]]:
    call = [sys.executable, "-m", "structnets.reporting.study_estimate", json.dumps(specs)]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        names = ", ".join(sorted({spec["model"]["name"] for spec in specs}))
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ValueError(f"a model of the study ({names}) cannot take a step: {reason[0]}")
    return json.loads(done.stdout.splitlines()[-1])


def time_steps(spec: ResolvedSpec) -> dict[str, float]:
    """Time training steps and answers of a model on made pictures or scans, on one processor."""
    import torch
    from torch.nn.functional import cross_entropy, mse_loss

    from structnets.models.registry import create_for_spec

    torch.set_num_threads(1)
    recipe: Any = spec["recipe"]
    prepare: Any = spec["data"]["prepare"]
    if find_dataset(spec["data"]["name"]).cohort:
        classes = prepare["classes"].count(",") + 1 if "classes" in prepare else 1
        shape = _shape_of(prepare)
    else:
        classes = int(prepare.get("classes", 1))
        shape = [3, recipe["crop"]["size"], recipe["crop"]["size"]]
    batch = recipe["batch_size"]
    model = create_for_spec(spec, classes, shape)
    pictures, labels = torch.rand(batch, *shape), torch.arange(batch) % classes
    scored = classes == 1  # no data have one class
    times = []
    for _ in range(_TIMED + 1):
        begun = time.perf_counter()
        answers = model(pictures)
        loss = mse_loss(answers[:, 0], labels.float()) if scored else cross_entropy(answers, labels)
        loss.backward()
        times.append(time.perf_counter() - begun)
    model.eval()
    begun = time.perf_counter()
    with torch.no_grad():
        model(pictures)
    test_s = (time.perf_counter() - begun) / batch
    parameters = sum(weight.numel() for weight in model.parameters())
    return {"step_s": min(times[1:]), "test_s": test_s, "parameters": parameters}


if __name__ == "__main__":
    print(json.dumps([time_steps(spec) for spec in json.loads(sys.argv[1])]))
