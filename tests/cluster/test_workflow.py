"""The literal ``snakemake --profile slurm`` from a fresh clone, on a real Slurm."""

import sys
from pathlib import Path

import pytest

from structnets.files import read_json
from tests.cluster.checkout import fresh_clone, its_modules

pytestmark = pytest.mark.cluster
SNAKEMAKE = str(Path(sys.executable).with_name("snakemake"))


@pytest.fixture(scope="module")
def clone(cluster):
    return fresh_clone(cluster.state / "clone")


@pytest.fixture(scope="module")
def snakemake(cluster, clone):
    """Return a runner of ``snakemake --profile slurm`` in the clone, on the submit host."""

    def run(*words, timeout=420, **environment):
        command = (SNAKEMAKE, "--profile", "slurm", *words)
        modules = its_modules(clone)
        return cluster.run(*command, cwd=clone, timeout=timeout, PYTHONPATH=modules, **environment)

    return run


def test_a_table_comes_out_of_jobs_on_the_nodes(cluster, clone, snakemake):
    done = snakemake("figure6", "--config", "rows=scattering", STRUCTNETS_SLURM_PARTITION="spare")
    assert done.returncode == 0, done.stderr + cluster.logs()
    cells = read_json(clone / "results/tables/figure6.json")["cells"]
    measured = [cell for cell in cells if cell["status"] == "measured"]
    assert {cell["row"] for cell in measured} == {"scattering"}
    jobs = [job for job in cluster.jobs() if job.comment.startswith("rule_train")]
    assert [(job.state, job.partition) for job in jobs] == [("COMPLETED", "spare")]


def test_nothing_is_submitted_twice(cluster, snakemake):
    before = len(cluster.jobs())
    done = snakemake("figure6", "--config", "rows=scattering", timeout=60)
    assert "Nothing to be done" in done.stderr + done.stdout
    assert len(cluster.jobs()) == before


def test_a_training_over_both_nodes(cluster, clone, snakemake):
    if not cluster.separate:
        pytest.skip("two nodes of one address cannot carry two of Ray's")
    done = snakemake("figure6", "--config", "rows=cnn_b")
    assert done.returncode == 0, done.stderr + cluster.logs()
    results = map(read_json, (clone / "results" / "runs").glob("cnn_b-*/result.json"))
    assert [sorted(result["hardware"]["nodes"]) for result in results] == [list(cluster.names)]
