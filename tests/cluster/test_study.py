"""A study of one's own by ``snakemake --profile slurm study``, on a real Slurm, to its report."""

import sys
from pathlib import Path

import pytest

from structnets.files import read_json
from tests.cluster.checkout import fresh_clone, its_modules
from tests.made_study import write_pictures, write_study

pytestmark = pytest.mark.cluster
SNAKEMAKE = str(Path(sys.executable).parent / "snakemake")


@pytest.fixture(scope="module")
def study(cluster):
    """Write a study that lies outside of the repository; return its file."""
    own = cluster.state / "own"
    return write_study(own, write_pictures(own / "pictures"), seeds=1)


@pytest.fixture(scope="module")
def call(cluster, tracking, study):
    """Return a caller of the study in a fresh clone, on the submit host."""
    clone = fresh_clone(cluster.state / "clone_of_study")

    def call():
        done = cluster.run(
            *(SNAKEMAKE, "--profile", "slurm", "study", "--config", f"study={study}"),
            cwd=clone,
            timeout=1200,
            PYTHONPATH=its_modules(clone),
            MLFLOW_TRACKING_URI=tracking.uri,
            STRUCTNETS_SLURM_PARTITION="main",
            STRUCTNETS_SLURM_GPU_PARTITION="spare",
        )
        assert done.returncode == 0, done.stderr + cluster.logs()
        return clone, done.stderr + done.stdout

    return call


def test_a_study_runs_to_its_report_and_is_not_made_twice(cluster, call):
    earlier = {job.number for job in cluster.jobs()}
    clone, _ = call()
    jobs = [job for job in cluster.jobs() if job.number not in earlier]
    assert {job.state for job in jobs} == {"COMPLETED"}
    places = {(job.comment.startswith("rule_train_stripes_"), job.partition) for job in jobs}
    assert places == {(True, "spare"), (False, "main")}
    folder = clone / "results" / "studies" / "stripes"
    found = read_json(folder / "results.json")
    assert [(cell["row"], cell["train_size"]) for cell in found["cells"]] == [
        (row, size) for size in (4, 12) for row in ("structured", "plain <b>")
    ]
    assert "Which way do they go?" in (folder / "report.html").read_text()
    _, said = call()
    assert "Nothing to be done" in said
    assert len([job for job in cluster.jobs() if job.number not in earlier]) == len(jobs)
