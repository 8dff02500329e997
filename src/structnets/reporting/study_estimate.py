"""What a study will take before it starts: runs, hours on this machine, gigabytes.

Two steps of each model are timed once, in a process of its own, and remembered beside the lists of
pictures: ``python -m structnets.reporting.study_estimate [SPEC…]`` prints what was found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structnets.files import read_json, write_json
from structnets.identity import digest
from structnets.reporting.study_plan import StudyPlan, lists_folder
from structnets.specs.resolved import ResolvedSpec
from structnets.training.run_files import is_published

RUN_S, STUDY_S = 3.0, 60.0  # what a run, and a study, take besides computing
_PICTURES_PER_S = 100.0  # decoded and stored, by one processor
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
    """

    runs: int
    left: int
    hours: float
    gigabytes: float

    def __str__(self) -> str:
        """Say it in one sentence."""
        if not self.left:
            return f"all {self.runs} trainings are there"
        return (
            f"{self.left} of {self.runs} trainings are to be made: about "
            f"{_duration(self.hours)} on this machine, {self.gigabytes:.1f} GB on disk"
        )


def _duration(hours: float) -> str:
    minutes = 60 * hours
    return f"{hours:.1f} hours" if minutes >= 90 else f"{max(1, round(minutes))} minutes"


def estimate_study(planned: StudyPlan, scratch: str, results: str) -> Estimate:
    """Estimate a study, timing models that were not timed on this machine before.

    Raises
    ------
    ValueError
        If the study has a limit that is less.
    """
    known = _speeds(planned, speeds_file(scratch))
    pictures, total = len(planned.gathered.pictures.pictures), {}
    left: list[float] = []
    for run in planned.runs:
        spec = run.spec
        speed = known[speed_key(spec)]
        total[run.run_id] = _COPIES * 4 * speed["parameters"]
        if not is_published(Path(results) / "runs" / run.run_id, spec):
            recipe = spec["recipe"]
            steps = recipe["epochs"] * max(1, run.size // recipe["batch_size"])  # type: ignore[typeddict-item]
            tested = len(planned.gathered.pictures.of_split("test"))
            left.append(RUN_S + steps * speed["step_s"] + tested * speed["test_s"])
    side = planned.study.pictures.side
    stored = pictures * 3 * side * side
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    parallel = max(1, min(processors, len(planned.jobs), len(left)))
    seconds = sum(left) / parallel + (STUDY_S + pictures / _PICTURES_PER_S if left else 0)
    found = Estimate(len(total), len(left), seconds / 3600, (sum(total.values()) + stored) / 1e9)
    limit = planned.study.limit
    for name, value, most in (
        ("hours", found.hours, limit.hours),
        ("gigabytes", found.gigabytes, limit.gigabytes),
    ):
        if most is not None and value > most:
            raise ValueError(
                f"{planned.file}: the study is expected to take {value:.2g} {name}, its limit is "
                f"{most:g}: raise limit.{name}, or give fewer rows, train_sizes, seeds or steps"
            )
    return found


def speeds_file(scratch: str | Path) -> Path:
    """Return where is kept how fast models are."""
    return lists_folder(scratch) / "speeds.json"


def _speeds(planned: StudyPlan, memory: Path) -> dict[str, dict[str, float]]:
    """Return how fast the models of a study are, timing those that are not known."""
    known = _remembered(memory)
    unknown = {speed_key(run.spec): run.spec for run in planned.runs}
    unknown = {key: spec for key, spec in unknown.items() if key not in known}
    if unknown:
        known |= dict(zip(unknown, _time(list(unknown.values())), strict=True))
        write_json(memory, known)
    return known


def speed_key(spec: ResolvedSpec) -> str:
    """Name what decides how long a step takes."""
    recipe: Any = spec["recipe"]
    what = [spec["model"], recipe.get("crop"), recipe.get("batch_size"), recipe.get("amp")]
    return digest([what, os.uname().nodename])[:16]


def _remembered(path: Path) -> dict[str, dict[str, float]]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    keys = {"step_s", "test_s", "parameters"}
    return {key: value for key, value in found.items() if keys <= value.keys()}


def _time(specs: list[ResolvedSpec]) -> list[dict[str, float]]:
    call = [sys.executable, "-m", "structnets.reporting.study_estimate", json.dumps(specs)]
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        names = ", ".join(sorted({spec["model"]["name"] for spec in specs}))
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise ValueError(f"a model of the study ({names}) cannot take a step: {reason[0]}")
    return json.loads(done.stdout.splitlines()[-1])


def time_steps(spec: ResolvedSpec) -> dict[str, float]:
    """Time training steps and answers of a model on made pictures, on one processor."""
    import torch
    from torch.nn.functional import cross_entropy

    from structnets.models.registry import create_for_spec

    torch.set_num_threads(1)
    recipe: Any = spec["recipe"]
    classes = int(spec["data"]["prepare"]["classes"])  # type: ignore[arg-type]
    size, batch = recipe["crop"]["size"], recipe["batch_size"]
    model = create_for_spec(spec, classes, [3, size, size])
    pictures, labels = torch.rand(batch, 3, size, size), torch.arange(batch) % classes
    times = []
    for _ in range(_TIMED + 1):
        begun = time.perf_counter()
        cross_entropy(model(pictures), labels).backward()
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
