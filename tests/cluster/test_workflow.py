"""The literal ``snakemake --profile slurm all`` from a fresh clone, on a real Slurm."""

import json
import sys
from pathlib import Path

import pytest

from structnets.files import read_json
from structnets.specs.sweep import resolve_sweep
from structnets.specs.target import load_targets
from tests.cluster.checkout import fresh_clone, its_modules

pytestmark = pytest.mark.cluster
SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def clone(cluster):
    return fresh_clone(cluster.state / "clone")


@pytest.fixture(scope="module")
def run(cluster, clone, tracking):
    """Return a runner of a script of the environment in the clone, on the submit host."""

    def run(name, *words, timeout=3600, **environment):
        given = {
            "PYTHONPATH": its_modules(clone),
            "MLFLOW_TRACKING_URI": tracking.uri,
            "STRUCTNETS_SLURM_GPUS": "0",
            "STRUCTNETS_SLURM_PARTITION": "spare",
        }
        command = (str(SCRIPTS / name), *words)
        return cluster.run(*command, cwd=clone, timeout=timeout, **(given | environment))

    return run


@pytest.fixture(scope="module")
def everything(run, cluster):
    """Make everything; returns the jobs that this took."""
    earlier = {job.number for job in cluster.jobs()}
    done = run("snakemake", "--profile", "slurm", "all", "--config", "preset=smoke")
    assert done.returncode == 0, done.stderr + cluster.logs()
    return [job for job in cluster.jobs() if job.number not in earlier]


@pytest.mark.usefixtures("everything")
def test_every_target_is_rendered(clone):
    for table in load_targets(clone / "workflow" / "targets").tables:
        cells = read_json(clone / "results" / "tables" / f"{table}.json")["cells"]
        assert any(cell["status"] == "measured" for cell in cells)


@pytest.mark.usefixtures("everything")
def test_sweeps_have_all_their_trials(clone):
    sweeps = load_targets(clone / "workflow" / "targets").sweeps.values()
    assert sweeps
    for sweep in (resolve_sweep(sweep, "smoke") for sweep in sweeps):
        folder = clone / "results" / "sweeps" / sweep["sweep_id"]
        rows = (folder / "trials.csv").read_text().splitlines()[1:]
        assert len(rows) == len(sweep["points"])
        assert (folder / "best.json").is_file()


@pytest.mark.usefixtures("everything")
def test_workers_of_a_training_sat_on_both_nodes(cluster, clone):
    results = map(read_json, (clone / "results" / "runs").glob("cnn_b-*/result.json"))
    assert [sorted(result["hardware"]["nodes"]) for result in results] == [list(cluster.names)]


def test_trainings_and_sweeps_were_jobs_of_the_partition(everything):
    jobs = [job for job in everything if job.comment.startswith("rule_")]
    assert {job.comment.partition("_wildcards")[0] for job in jobs} >= {"rule_sweep"}
    assert {(job.state, job.partition) for job in jobs} == {("COMPLETED", "spare")}


@pytest.mark.usefixtures("everything")
def test_audit_is_clean(run):
    done = run("structnets", "audit", "--results", "results", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["checked"] > 10
    assert (found["missing"], found["differing"]) == ([], [])


@pytest.mark.usefixtures("everything")
def test_nothing_is_submitted_twice(cluster, run):
    before = len(cluster.jobs())
    words = ("--profile", "slurm", "all", "--config", "preset=smoke")
    done = run("snakemake", *words, timeout=120)
    assert "Nothing to be done" in done.stderr + done.stdout
    assert len(cluster.jobs()) == before


@pytest.mark.usefixtures("everything")
def test_server_that_is_away_is_told_before_anything_starts(run):
    words = ("--profile", "slurm", "figure6", "--config", "preset=smoke", "--forcerun", "figure6")
    uri = "http://10.77.0.1:1"
    done = run("snakemake", *words, timeout=300, MLFLOW_TRACKING_URI=uri)
    assert f"MLflow at {uri}: " in done.stderr
    assert done.returncode == 0, done.stderr
