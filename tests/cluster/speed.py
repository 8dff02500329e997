"""How fast trainings start under Slurm, and how they scale: ``python -m tests.cluster.speed``.

Prints, for each way of giving a training its processors, medians over some repetitions, and the
load of the machine, which the figures are worth nothing without.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from pipelines import prepare
from structnets.files import read_json, write_json
from structnets.specs.spec import validate
from tests.cluster.checkout import its_modules
from tests.cluster.slurm import Cluster
from tests.made_results import REPOSITORY

SKIPPED = 5  # first steps of a training


class Way(NamedTuple):
    """How many workers, on how many nodes, with how many threads each."""

    workers: int
    nodes: int
    threads: int


WAYS = {
    "1 worker × 1 thread": Way(1, 1, 1),
    "1 worker × 2 threads": Way(1, 1, 2),
    "2 workers, 1 node": Way(2, 1, 1),
    "2 nodes × 1 worker": Way(2, 2, 1),
}


def heavy_spec(seed: int, train_size: int) -> dict[str, Any]:
    """Return the spec of a training whose steps take a while: CNN-B on images of 28 × 28."""
    return validate(
        {
            "chapter": 3,
            "preset": "smoke",
            "seed": seed,
            "model": {"name": "cnn_b", "options": {}},
            "data": {"name": "digits", "train_size": train_size},
            "recipe": {
                "optimizer": {"name": "adadelta", "lr": 1.0},
                "schedule": {"name": "linear"},
                "epochs": 3,
                "batch_size": 100,
            },
        }
    )


def submit(cluster: Cluster, folder: Path, spec: dict[str, Any], way: Way) -> dict[str, Any]:
    """Train once by a job; returns what its processes noted, by what it is."""
    (folder / "marks").mkdir(parents=True)
    write_json(folder / "spec.json", spec)
    roots = f"--prepared {cluster.state}/prepared --results {folder}/results"
    script = folder / "job.sh"
    script.write_text(
        "#!/bin/bash\ndate +%s.%N > "
        f"{folder}/job\n{sys.executable} -m tests.cluster.timed_train --spec {folder}/spec.json "
        f"{roots} --scratch {folder}/scratch --workers {way.workers} "
        f"--cpus-per-worker {way.threads}\n"
    )
    each = way.workers * way.threads // way.nodes
    begun = time.time()
    ended = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(_start_seconds, cluster, folder / "marks", ended)
        try:
            done = cluster.run(
                *("sbatch", "--wait", f"--output={folder}/output.txt", f"--nodes={way.nodes}"),
                *(f"--ntasks={way.nodes}", "--ntasks-per-node=1", f"--cpus-per-task={each}"),
                *("--mem=3000", str(script)),
                timeout=900,
                PYTHONPATH=its_modules(REPOSITORY),
                STRUCTNETS_TEST_MARKS=str(folder / "marks"),
            )
        finally:
            ended.set()
    if done.returncode:
        raise RuntimeError(done.stderr + (folder / "output.txt").read_text())
    noted = [read_json(path) for path in sorted((folder / "marks").iterdir())]
    times: dict[str, float] = {"the job": float((folder / "job").read_text()) - begun}
    for mark in sorted(noted, key=lambda mark: mark["time"]):
        times.setdefault(mark["what"], mark["time"] - begun)
    steps = [mark for mark in noted if mark["what"] == "steps"]
    return {
        "until": times,
        "step_s": statistics.median(max(pair) for pair in _from_all(steps, "seconds")),
        "step_cpu_s": statistics.median(sum(pair) for pair in _from_all(steps, "processor")),
        "start_cpu_s": start.result(),
        "load": os.getloadavg()[0],
    }


def _start_seconds(cluster: Cluster, marks: Path, ended: threading.Event) -> float:
    """Return the processor seconds of all processes on the nodes until the first step."""
    before = _processor_seconds(cluster)
    while not any("first step" in path.read_text() for path in marks.iterdir()):
        if ended.wait(0.1):
            break
    return _processor_seconds(cluster) - before


def _processor_seconds(cluster: Cluster) -> float:
    """Return what the nodes' processes, and their children that ended, have used."""
    used = 0.0
    for name in cluster.names:
        for process in cluster.place.processes(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                used += sum(process.cpu_times()[:4])
    return used


def _from_all(steps: list[dict[str, Any]], what: str) -> list[tuple[float, ...]]:
    return list(zip(*(mark[what][SKIPPED:] for mark in steps), strict=True))


def main() -> None:
    """Measure every way in turn, again and again."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeat", type=int, default=3, help="trainings of every way")
    parser.add_argument("--train-size", type=int, default=1000, help="images")
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory(prefix="speed", dir="/tmp") as temporary:
        measure(Path(temporary), given.repeat, given.train_size, found)
    for name, results in found.items():
        report(name, results)


def measure(
    folder: Path, repeat: int, train_size: int, found: dict[str, list[dict[str, Any]]]
) -> None:
    """Start a cluster, and train every way in turn."""
    with Cluster(folder / "state", (REPOSITORY, Path(sys.prefix))) as cluster:
        words = ["--data-json", '{"name": "digits"}', "--out", f"{cluster.state}/prepared/digits"]
        prepare.main(words)
        for number in range(repeat):
            for name, way in WAYS.items():
                spec = heavy_spec(number, train_size)
                place = cluster.state / f"{number}-{'-'.join(map(str, way))}"
                found[name].append(submit(cluster, place, spec, way))
                print(name, json.dumps(found[name][-1]), flush=True)


def report(name: str, results: list[dict[str, Any]]) -> None:
    """Print the medians of one way."""
    step = 1000 * statistics.median(result["step_s"] for result in results)
    used = 1000 * statistics.median(result["step_cpu_s"] for result in results)
    load = [round(result["load"], 1) for result in results]
    print(f"{name}: {step:.1f} ms a step, {used:.1f} ms of processor; load {load}")
    start = statistics.median(result["start_cpu_s"] for result in results)
    print(f"   processor seconds of all processes until the first step: {start:.1f}")
    until = {
        what: round(statistics.median(result["until"][what] for result in results), 1)
        for what in results[0]["until"]
    }
    print(f"   seconds since sbatch: {until}")


if __name__ == "__main__":
    main()
