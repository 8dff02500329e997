"""What may happen to a training on a cluster, and that nothing is lost by it.

Every test disturbs a training and compares its outcome with the same one undisturbed: metrics,
curve and weights to the bit, each step once in MLflow, nothing left over.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.tracking import Spool
from tests.cluster.bench import Bench, small_spec
from tests.cluster.slurm import Cluster
from tests.cluster.tracking import TrackingServer

pytestmark = pytest.mark.cluster
SEEDS = itertools.count(100)
MakeBench = Callable[..., Bench]
WORKER = r"^ray::.*(RayTrainWorker|TrainWorker)"
DRIVER = r"python\S* -m tests\.slow_train"
STRANGER = (
    f"RAY_AUTH_MODE=disabled {sys.executable} -m ray.scripts.scripts start --head --block "
    "--num-cpus=1 --num-gpus=0 --memory=500000000 --object-store-memory=100000000 "
    "--include-dashboard=false --disable-usage-stats"
)


@pytest.fixture
def bench(
    cluster: Cluster,
    tracking: TrackingServer,
    prepared: Path,
    request: pytest.FixtureRequest,
) -> Iterator[MakeBench]:
    """Return a maker of benches, whose jobs are cancelled at the end."""
    name = request.node.name.removeprefix("test_")
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        seed = next(SEEDS)
        folder = cluster.state / f"{name}-{seed}"
        made.append(Bench(cluster, tracking, prepared, folder, small_spec(seed), **options))
        return made[-1]

    yield make
    cluster.run("scancel", "--name=bench")
    for one in made:
        one.end()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Return a recorder of times to recover; they go to the file STRUCTNETS_FAULTS names."""

    def record(seconds: float, **more: Any) -> None:
        line = {"fault": request.node.name, "recovered_s": round(seconds, 1), **more}
        print(line)
        if "STRUCTNETS_FAULTS" in os.environ:
            with Path(os.environ["STRUCTNETS_FAULTS"]).open("a") as file:
                file.write(json.dumps(line) + "\n")

    return record


@pytest.mark.short
def test_worker_killed(bench: MakeBench, measured: Any) -> None:
    run = bench()
    job = run.submit()
    run.until_epoch(4)
    run.processes(WORKER)[0].kill()
    seconds = run.until_epoch(run.epochs() + 2)
    measured(seconds)
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=2)


@pytest.mark.short
def test_raylet_killed_on_one_of_two_nodes(bench: MakeBench, measured: Any) -> None:
    """Ray is started there again, and the training goes on in the same job."""
    run = bench(nodes=2)
    job = run.submit()
    run.until_epoch(4)
    first = run.processes(DRIVER)[0]
    heads = {name for name in run.cluster.names if first in run.cluster.place.processes(name)}
    other = tuple(name for name in run.cluster.names if name not in heads)
    for raylet in run.processes("/raylet ", other):
        raylet.kill()
    seconds = run.until_epoch(run.epochs() + 2)
    measured(seconds)
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=2)


def test_driver_killed_and_submitted_again(bench: MakeBench, measured: Any) -> None:
    run = bench()
    job = run.submit()
    run.until_epoch(4)
    for process in run.processes(DRIVER):
        process.kill()
    assert run.until_ended(job) == "FAILED"
    again = run.submit()
    measured(run.until_epoch(run.epochs() + 2))
    assert run.until_ended(again) == "COMPLETED", run.said()
    run.check(attempts=2)


@pytest.mark.short
def test_job_cancelled_and_submitted_again(bench: MakeBench, measured: Any) -> None:
    run = bench()
    job = run.submit()
    run.until_epoch(4)
    run.cluster.run("scancel", str(job))
    assert run.until_ended(job) == "CANCELLED"
    run.end_what_is_left(job)
    again = run.submit()
    measured(run.until_epoch(run.epochs() + 2))
    assert run.until_ended(again) == "COMPLETED", run.said()
    run.check(attempts=2)


def test_time_limit(bench: MakeBench, measured: Any) -> None:
    """The job stops in time, Slurm queues it again, and it goes on where it was."""
    run = bench()
    run.seconds = 18.0  # an epoch: the training needs longer than the limit, however fast it starts
    job = run.submit("--time=4", "--requeue")
    run.until(lambda: "Slurm is asked to queue" in run.said(), "end of the first part")
    stopped = time.monotonic()
    before = run.epochs()
    run.until_epoch(before + 1)
    measured(time.monotonic() - stopped)
    assert run.until_ended(job) == "COMPLETED", run.said()
    done = run.cluster.run("scontrol", "show", "job", str(job)).stdout
    restarts = re.search(r"Restarts=(\d+)", done)
    assert restarts
    assert f"resumed after epoch {before}" in run.said()
    run.check(attempts=1 + int(restarts[1]))


def test_two_jobs_of_one_run_at_once(bench: MakeBench) -> None:
    run = bench()
    first = run.submit()
    run.until_epoch(1)
    second = run.submit()
    assert run.until_ended(first) == "COMPLETED", run.said()
    assert run.until_ended(second) == "COMPLETED", run.said()
    assert "waiting for another job" in run.said()
    run.check(attempts=1)


def test_network_partition_of_30_s(bench: MakeBench, measured: Any) -> None:
    run = bench(nodes=2)
    job = run.submit()
    run.until_epoch(4)
    run.cluster.place.set_cable(2, "down")
    time.sleep(30)
    run.cluster.place.set_cable(2, "up")
    before = run.epochs()
    measured(run.until_epoch(before + 2), attempts=None)
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.cluster.wait_for_nodes(60)
    run.check()


def test_node_lost(bench: MakeBench, measured: Any) -> None:
    """Slurm queues the job again; it starts when the node is back."""
    run = bench(nodes=2)
    job = run.submit("--requeue")
    run.until_epoch(4)
    begun = time.monotonic()
    before = run.epochs()
    run.cluster.place.kill_node("n2")
    run.until(lambda: run.state(job) in ("PENDING", "REQUEUED"), "requeue")
    run.cluster.place.add_node("n2", 2)
    run.until_epoch(before + 2)
    # Of it, a minute until Slurm notices, and twenty seconds until it starts a job again.
    measured(time.monotonic() - begun)
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.cluster.wait_for_nodes(60)
    run.check(attempts=2)


def test_node_lost_by_an_elastic_training(bench: MakeBench, measured: Any) -> None:
    """The same job goes on with the worker that is left; its dropout is another's then."""
    run = bench(nodes=2)
    run.options = "--min-workers 1"
    job = run.submit("--no-kill", "--no-requeue")
    run.until_epoch(4)
    before = run.epochs()
    run.cluster.place.kill_node("n2")
    measured(run.until_epoch(before + 2))
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.cluster.place.add_node("n2", 2)
    run.cluster.wait_for_nodes(120)
    result = run.result()
    assert (result["hardware"]["world_size"], result["attempts"]) == (1, 2)
    ours, theirs = run.curves()
    assert ours[: before - 1] == theirs[: before - 1]
    for key in ("epoch", "step", "lr"):
        assert [row[key] for row in ours] == [row[key] for row in theirs]
    run.check_tracked()
    run.check_leftovers()


def test_mlflow_and_its_database_restarted(bench: MakeBench, tracking: TrackingServer) -> None:
    run = bench()
    run.seconds = 8.0  # an epoch: a server needs half a minute to start
    job = run.submit()
    run.until_epoch(2)
    tracking.stop_server()
    run.until_epoch(4)
    tracking.start_server()
    run.until_epoch(6)
    tracking.stop_database()
    run.until_epoch(8)
    tracking.start_database()
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=1)


def test_mlflow_away_at_the_start(bench: MakeBench, tracking: TrackingServer) -> None:
    """What was recorded before the server came is told as well."""
    run = bench()
    run.seconds = 8.0  # an epoch: a server needs half a minute to start
    tracking.stop_server()
    try:
        job = run.submit()
        run.until_epoch(2)
    finally:
        tracking.start_server()
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=1)


def test_mlflow_away_for_good(bench: MakeBench, tracking: TrackingServer) -> None:
    """The training ends well; what it has to tell waits for `flush`."""
    run = bench()
    tracking.stop_server()
    try:
        job = run.submit()
        assert run.until_ended(job) == "COMPLETED", run.said()
    finally:
        tracking.start_server()
    assert run.spool.pending()
    flush = ("-m", "pipelines.tracking", "flush", "--results", f"{run.folder}/results")
    done = run.python(*flush, "--scratch", f"{run.folder}/scratch")
    assert "1 spools sent, 0 still waiting" in done.stderr
    run.check(attempts=1)


def test_strangers_ray_on_the_node(bench: MakeBench, cluster: Cluster) -> None:
    """A training neither joins it nor ends it."""
    run = bench()
    held = cluster.run("sbatch", "--parsable", "--nodelist=n1", "--cpus-per-task=1", "--mem=1000",
                       "--job-name=bench", f"--wrap={STRANGER}")  # fmt: skip
    run.until(lambda: bool(run.processes("/gcs_server ", ("n1",))), "stranger's Ray")
    strangers = {process.pid for process in run.processes("/gcs_server |/raylet ", ("n1",))}
    job = run.submit("--nodelist=n1")
    assert run.until_ended(job) == "COMPLETED", run.said()
    assert strangers <= {p.pid for p in run.processes("/gcs_server |/raylet ", ("n1",))}
    cluster.run("scancel", held.stdout.strip())
    run.until_ended(int(held.stdout))
    run.end_what_is_left(int(held.stdout))
    cluster.run("srun", "--nodelist=n1", "bash", "-c", "rm -rf /tmp/ray")
    run.check(attempts=1)


def test_newest_checkpoint_damaged(bench: MakeBench) -> None:
    run = bench()
    job = run.submit()
    run.until_epoch(4)
    run.cluster.run("scancel", "--signal=KILL", "--full", str(job))
    run.until_ended(job)
    run.end_what_is_left(job)
    newest = max((run.work / "checkpoints").glob("step-*.pt"))
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    again = run.submit()
    assert run.until_ended(again) == "COMPLETED", run.said()
    assert f"{newest} is damaged" in run.said()
    run.check(attempts=2)


def test_scratch_full_for_a_while(bench: MakeBench) -> None:
    """Nothing can be saved meanwhile, and the training goes on."""
    run = bench()
    place = run.cluster.place
    scratch = run.folder / "scratch"
    scratch.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(scratch))
    subprocess.run(place.on_node("n1", *mount), check=True)
    seen = place.root("n1") / scratch.relative_to("/")
    run.spool = Spool(seen / run.work.relative_to(scratch) / "spool")
    job = run.submit("--nodelist=n1")
    run.until_epoch(3)
    with contextlib.suppress(OSError), (seen / "filler").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    run.until(lambda: "could not be written" in run.said(), "refusal of a checkpoint")
    time.sleep(2)
    (seen / "filler").unlink()
    assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=1)


def test_small_tmp(bench: MakeBench) -> None:
    run = bench(nodes=2)
    for size in ("24m", "50%"):
        remount = ("mount", "-o", f"remount,size={size}", "/tmp")
        subprocess.run(run.cluster.place.on_node("n2", *remount), check=True)
        if size == "24m":
            job = run.submit()
            assert run.until_ended(job) == "COMPLETED", run.said()
    run.check(attempts=1)
