"""A training under Slurm that faults are tried on, and the same one undisturbed."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from pipelines.tracking import Spool
from structnets.files import read_json, write_json
from structnets.identity import run_id
from structnets.specs.spec import validate
from tests.cluster.checkout import its_modules
from tests.cluster.slurm import Cluster
from tests.cluster.tracking import TrackingServer
from tests.made_results import REPOSITORY

# For what takes half a minute; the machine may be busy.
PATIENCE = float(os.environ.get("STRUCTNETS_TEST_PATIENCE", "600"))
ENDED = ("CANCELLED", "COMPLETED", "FAILED", "TIMEOUT", "OUT_OF_MEMORY")
EPOCHS = 12
STEPS = 5
# As the shell of a Snakemake job sees it, which knows the job's number only.
HIDDEN = "unset ${!SLURM_N*} ${!SLURM_JOB_N*} ${!SLURM_T*} ${!SLURM_C*}\n"
# What Ray leaves; a shell that looks for it is no part of it.
LEFTOVERS = "ls -d /tmp/r[0-9]*; ps -e -o comm= | grep -E 'raylet|gcs_server|ray::'"


def small_spec(seed: int, **recipe: Any) -> dict[str, Any]:
    """Return the spec of a training of twelve epochs of five steps, with dropout."""
    return validate(
        {
            "chapter": 3,
            "preset": "smoke",
            "seed": seed,
            "model": {"name": "cnn_b", "options": {"kernel_sizes": [3, 3, 3]}},
            "data": {"name": "digits", "train_size": 100},
            "recipe": {
                "optimizer": {"name": "adam", "lr": 0.01},
                "schedule": {"name": "linear"},
                "epochs": EPOCHS,
                "batch_size": 20,
                **recipe,
            },
        }
    )


class Bench:
    """One spec, trained by jobs, and beside them by a process without Slurm and Ray.

    Parameters
    ----------
    cluster, tracking : Cluster, TrackingServer
        Where jobs run and what they log to.
    prepared : Path
        Root of the prepared data.
    folder : Path
        For results, scratch and outputs.
    spec : dict
        The spec; others need another seed, since MLflow has one run of each.
    workers, nodes : int
        Processes of the training, and how many nodes share them.
    """

    def __init__(
        self,
        cluster: Cluster,
        tracking: TrackingServer,
        prepared: Path,
        folder: Path,
        spec: dict[str, Any],
        workers: int = 2,
        nodes: int = 1,
    ) -> None:
        self.cluster, self.tracking, self.folder = cluster, tracking, folder
        self.spec, self.workers, self.nodes = spec, workers, nodes
        self.prepared = prepared
        self.work = folder / "scratch" / "runs" / run_id(spec)
        self.out = folder / "results" / "runs" / run_id(spec)
        self.spool = Spool(self.work / "spool")
        self.seconds, self.options = 0.5, ""
        self.jobs: list[int] = []
        folder.mkdir(parents=True)
        write_json(folder / "spec.json", spec)
        self._alone = self._undisturbed()

    def _undisturbed(self) -> subprocess.Popen[bytes]:
        """Train the same spec without Slurm, Ray and MLflow, on the same number of workers."""
        torchrun = (
            "-m",
            "torch.distributed.run",
            f"--nproc-per-node={self.workers}",
            "--standalone",
            f"--log-dir={self.folder}/torchrun",
        )
        data = self.prepared / "digits"
        words = ("-m", "structnets.cli", "train", f"{self.folder}/spec.json", "--data", str(data))
        with (self.folder / "alone.txt").open("w") as log:
            return subprocess.Popen(
                [sys.executable, *torchrun, *words, "--out", str(self.folder / "alone")],
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": its_modules(REPOSITORY)},
                stdout=log,
                stderr=log,
            )

    def submit(self, *options: str, before: str = "", **environment: str) -> int:
        """Submit the training; returns the job's number.

        Parameters
        ----------
        *options : str
            For sbatch.
        before : str
            Shell lines of the job before the stage.
        **environment : str
            Variables of the job.
        """
        roots = (
            f"--prepared {self.prepared} --results {self.folder}/results "
            f"--scratch {self.folder}/scratch"
        )
        script = self.folder / "job.sh"
        script.write_text(
            f"#!/bin/bash\n{HIDDEN}{before}\n{sys.executable} -m tests.slow_train "
            f"--spec {self.folder}/spec.json {roots} --workers {self.workers} {self.options}\n"
        )
        each = -(-self.workers // self.nodes)
        done = self.cluster.run(
            *("sbatch", "--parsable", "--open-mode=append", f"--output={self.output}"),
            *(f"--nodes={self.nodes}", f"--ntasks={self.nodes}", "--ntasks-per-node=1"),
            *(f"--cpus-per-task={each}", "--mem=3000", "--job-name", "bench", *options),
            str(script),
            PYTHONPATH=its_modules(REPOSITORY),
            MLFLOW_TRACKING_URI=self.tracking.uri,
            STRUCTNETS_TEST_EPOCH_SECONDS=str(self.seconds),
            **environment,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.jobs.append(int(done.stdout))
        return self.jobs[-1]

    @property
    def output(self) -> Path:
        """What the jobs print."""
        return self.folder / "output.txt"

    def said(self) -> str:
        """Return what the jobs have printed."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def epochs(self) -> int:
        """Return the number of the newest epoch that was recorded."""
        lines = (line for _, line in self.spool.read() if line.get("do") == "metrics")
        return max((int(line["values"].get("epoch", 0)) for line in lines), default=0)

    def until_epoch(self, number: int, patience: float = PATIENCE) -> float:
        """Wait for an epoch; returns the seconds it took."""
        return self.until(lambda: self.epochs() >= number, f"epoch {number}", patience)

    def until(self, holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> float:
        """Wait until something holds; returns the seconds it took."""
        begun = looked = time.monotonic()
        while not holds():
            now = time.monotonic()
            if now - begun > patience:
                raise TimeoutError(f"no {what}: {self.said()[-4000:]}{self.cluster.logs()}")
            if now - looked > 5 and self.jobs:
                looked = now
                if all(self.state(job) in ENDED for job in self.jobs) and not holds():
                    raise RuntimeError(f"no {what}, all jobs have ended: {self.said()[-4000:]}")
            time.sleep(0.1)
        return time.monotonic() - begun

    def state(self, job: int) -> str:
        """Return Slurm's state of a job."""
        return next(found.state for found in self.cluster.jobs() if found.number == job)

    def until_ended(self, job: int, patience: float = PATIENCE) -> str:
        """Wait until a job neither waits nor runs; returns its state."""
        live = ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING", "REQUEUED")
        self.until(lambda: self.state(job) not in live, f"end of job {job}", patience)
        return self.state(job)

    def processes(self, words: str, nodes: tuple[str, ...] = ()) -> list[psutil.Process]:
        """Return the processes on the nodes whose command line has a pattern."""
        found = []
        for name in nodes or self.cluster.names:
            for process in self.cluster.place.processes(name):
                try:
                    if re.search(words, " ".join(process.cmdline())):
                        found.append(process)
                except psutil.NoSuchProcess:
                    continue
        return found

    def end_what_is_left(self, job: int) -> None:
        """Kill what a job left behind, as Slurm does by control groups, which are not used here."""
        for name in self.cluster.names:
            for process in self.cluster.place.processes(name):
                with contextlib.suppress(psutil.NoSuchProcess):
                    if process.environ().get("SLURM_JOB_ID") == str(job):
                        process.kill()

    def end(self) -> None:
        """End the undisturbed training, if a test that fails did not wait for it."""
        if self._alone.poll() is None:
            for process in psutil.Process(self._alone.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            self._alone.kill()
        self._alone.wait()

    def result(self) -> dict[str, Any]:
        """Return the result."""
        return read_json(self.out / "result.json")

    def check(self, attempts: int | None = None) -> None:
        """Compare the outcome with the undisturbed one: bytes, steps, and nothing left over."""
        alone = self.folder / "alone"
        assert self._alone.wait(PATIENCE) == 0, (self.folder / "alone.txt").read_text()
        expected, found = read_json(alone / "result.json"), self.result()
        assert found["metrics"] == expected["metrics"]
        assert found["confusion"] == expected["confusion"]
        for ours, theirs in zip(*self.curves(), strict=True):
            # The mean loss of an epoch that two attempts share is rounded once more.
            assert ours == pytest.approx(theirs, rel=1e-6)
        ours, theirs = (
            torch.load(where / "model.pt", weights_only=True)["state_dict"]
            for where in (self.out, alone)
        )
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        if attempts is not None:
            assert found["attempts"] == attempts
        self.check_tracked()
        self.check_leftovers()

    def curves(self) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
        """Return the curve, and the undisturbed one."""
        assert self._alone.wait(PATIENCE) == 0, (self.folder / "alone.txt").read_text()
        return _curve(self.out), _curve(self.folder / "alone")

    def check_tracked(self) -> None:
        """Look that MLflow has the run once, and each step once."""
        found = json.loads(self.python("-c", TRACKED, run_id(self.spec)).stdout)
        assert [run["status"] for run in found] == ["FINISHED"]
        assert found[0]["steps"] == [STEPS * (1 + epoch) for epoch in range(EPOCHS)]

    def python(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run Python on the head, as a user would; fails with what it printed."""
        done = self.cluster.run(
            *(sys.executable, *words),
            PYTHONPATH=its_modules(REPOSITORY),
            MLFLOW_TRACKING_URI=self.tracking.uri,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def check_leftovers(self) -> None:
        """Wait until no job, process or folder is left that nobody needs any more.

        Ray's processes may outlive a killed driver for the minute in which they look for each
        other.
        """
        self.until(
            lambda: all(job.state in ENDED for job in self.cluster.jobs()),
            "end of all jobs",
        )
        words = ("srun", "--nodes=2", "--ntasks-per-node=1", "--label", "bash", "-c", LEFTOVERS)
        end = time.monotonic() + PATIENCE
        while left := self.cluster.run(*words).stdout:
            assert time.monotonic() < end, left
            time.sleep(1)


TRACKED = """
import json, sys
from pipelines.tracking import store

client = store.connect(store.resolve_uri(None, "."))
found = []
for run in store.all_runs(client, ["chapter3"]):
    if run.data.tags.get("run_id") == sys.argv[1]:
        history = client.get_metric_history(run.info.run_id, "train_loss")
        steps = sorted(metric.step for metric in history)
        found.append({"status": run.info.status, "steps": steps})
print(json.dumps(found))
"""


def _curve(folder: Path) -> list[dict[str, float]]:
    with (folder / "curves.csv").open(newline="") as file:
        return [
            {k: float(v) for k, v in row.items() if v and k != "images_per_s"}
            for row in csv.DictReader(file)
        ]
