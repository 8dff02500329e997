"""Snakemake itself is killed, called twice, or its jobs meet their time limit."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from structnets.files import read_json
from tests.cluster.checkout import fresh_clone
from tests.cluster.packages import cluster_environment

pytestmark = pytest.mark.cluster
SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))


@pytest.fixture
def clone(cluster, request):
    """Return a clone in which a training takes three and a half minutes, on any machine."""
    folder = fresh_clone(cluster.state / request.node.name)
    for name, old, new in (
        ("experiments/chapter3/mnist_cnn.yaml", "epochs: 2\n", "epochs: 70\n"),
        ("rules/common.smk", "{STAGE} pipelines.train ", "{STAGE} tests.slow_train "),
    ):
        file = folder / "workflow" / name
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
    yield folder
    cluster.run("scancel", "--user=root")


@pytest.fixture
def start(cluster, clone, tracking):
    """Return a starter of the workflow for this training, on one node."""
    running = []

    def start(*words, **environment):
        command = cluster.command(
            *(SNAKEMAKE, "--profile", "slurm", "figure6", "--config", "rows=cnn_b", "nodes=1"),
            *words,
            timeout=3600,
            cwd=clone,
        )
        given = {
            "MLFLOW_TRACKING_URI": tracking.uri,
            "STRUCTNETS_SLURM_GPUS": "0",
            "STRUCTNETS_TEST_EPOCH_SECONDS": "3",
            "STRUCTNETS_TEST_SAVE_SECONDS": "10",
        }
        running.append(
            subprocess.Popen(
                command,
                env=cluster_environment(cluster.place.mark, **(given | environment)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            kill(process)
        process.stdout.close()


def kill(snakemake):
    """Kill a Snakemake on the head, as when the login node goes down; its jobs go on."""
    for process in tree(snakemake):
        process.kill()
    snakemake.wait()


def tree(snakemake):
    import psutil

    return psutil.Process(snakemake.pid).children(recursive=True)


def trainings(cluster):
    return [job for job in cluster.jobs() if job.comment.startswith("rule_train")]


def until(holds, what, patience=600):
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.5)


def saved(clone):
    return list((clone / "scratch" / "runs").glob("cnn_b-*/checkpoints/step-*.pt"))


def only_result(clone):
    (path,) = (clone / "results" / "runs").glob("cnn_b-*/result.json")
    return read_json(path)


@pytest.mark.short
def test_snakemake_killed_and_called_again(cluster, clone, start):
    before = len(trainings(cluster))
    first = start(STRUCTNETS_TEST_EPOCH_SECONDS="2")
    until(lambda: saved(clone), "checkpoint")
    kill(first)
    assert trainings(cluster)[-1].state == "RUNNING"
    unlocked = start("--unlock")
    assert unlocked.wait(600) == 0
    second = start()
    text = second.communicate()[0]
    assert second.returncode == 0, text
    jobs = trainings(cluster)[before:]
    assert [job.state for job in jobs] == ["COMPLETED", "COMPLETED"]
    # The second job waited for the first; the run was trained once.
    assert only_result(clone)["attempts"] == 1
    assert (clone / "results" / "tables" / "figure6.json").is_file()


def test_second_call_at_the_same_time_is_refused(cluster, clone, start):
    first = start()
    until(lambda: (clone / ".snakemake" / "locks").is_dir(), "lock of Snakemake")
    until(lambda: list((clone / ".snakemake" / "locks").iterdir()), "lock of Snakemake")
    second = start()
    text = second.communicate(timeout=600)[0]
    assert second.returncode == 1
    assert "Directory cannot be locked" in text
    first.send_signal(signal.SIGTERM)
    kill(first)


def test_time_limit(cluster, clone, start):
    """One job, queued again by Slurm at every limit; Snakemake sees no failure."""
    before = len(trainings(cluster))
    done = start("--set-resources", "train_chapter3_workers2_0:runtime=4")
    text = done.communicate()[0]
    assert done.returncode == 0, text
    (job,) = trainings(cluster)[before:]
    shown = cluster.run("scontrol", "show", "job", str(job.number)).stdout
    found = re.search(r"Restarts=(\d+)", shown)
    assert found
    assert int(found[1]) >= 1
    assert only_result(clone)["attempts"] == 1 + int(found[1])
    assert "Error" not in text
