"""One Ray over two nodes: a training spans both, failures are explained, nothing is left."""

import re
import sys

import pytest

from structnets.files import read_json, write_json
from structnets.identity import run_id
from structnets.specs.spec import validate
from tests.cluster.checkout import its_modules
from tests.made_results import REPOSITORY

pytestmark = pytest.mark.cluster
TWO_NODES = ("--nodes=2", "--ntasks=2", "--ntasks-per-node=1", "--cpus-per-task=1", "--mem=3000")
# As the shell of a Snakemake job sees it, which knows the job's number only.
HIDDEN = "#!/bin/bash\nunset ${!SLURM_N*} ${!SLURM_JOB_N*} ${!SLURM_T*} ${!SLURM_C*}\n"
# The stage under Ray over the nodes, where every rank leaves the name of its host.
DRIVER = """
import os, secrets, sys
from pathlib import Path
from pipelines import train
from pipelines.cluster import allocation

def work(config):
    import socket
    import ray.train
    from pipelines.cluster.training_worker import work as whole
    rank = ray.train.get_context().get_world_rank()
    Path(config["roots"].scratch, f"rank{rank}").write_text(socket.gethostname())
    whole(config)

train.work = work
os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)})
log = Path(sys.argv[1])
with allocation.over_nodes(allocation.find_allocation(), log) as address:
    os.environ["RAY_ADDRESS"] = address
    sys.exit(train.main(sys.argv[2:]))
"""
KILLED_INSIDE = """
import os, signal
from pathlib import Path
from pipelines.cluster import allocation

os.environ.update({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 32})
with allocation.over_nodes(allocation.find_allocation(), Path(__file__).parent):
    print("inside", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
LEFTOVERS = "ls -d /tmp/r[0-9]*; ps -e -o comm= | grep -E 'raylet|gcs_server|python'"


@pytest.fixture
def two_nodes(cluster, tmp_path):
    """Return a runner of a shell line in the batch step of a job on two nodes."""
    if not cluster.separate:
        pytest.skip("two nodes of one address cannot carry two of Ray's")
    folder = cluster.state / tmp_path.name
    folder.mkdir()

    def run(lines, timeout=240):
        output, script = folder / "output.txt", folder / "job.sh"
        script.write_text(HIDDEN + lines)
        words = ("sbatch", "--wait", *TWO_NODES, f"--output={output}", str(script))
        done = cluster.run(*words, timeout=timeout, PYTHONPATH=its_modules(REPOSITORY))
        return done.returncode, output.read_text() + done.stderr

    run.folder = folder
    return run


@pytest.fixture
def spec():
    return validate(
        {
            "chapter": 3,
            "preset": "smoke",
            "seed": 0,
            "model": {"name": "cnn_b", "options": {}},
            "data": {"name": "digits", "train_size": 100},
            "recipe": {
                "optimizer": {"name": "adam", "lr": 0.01},
                "schedule": {"name": "linear"},
                "epochs": 1,
                "batch_size": 20,
            },
        }
    )


@pytest.mark.short
def test_a_training_spans_both_nodes(cluster, two_nodes, spec):
    folder = two_nodes.folder
    write_json(folder / "spec.json", spec)
    (folder / "driver.py").write_text(DRIVER)
    (folder / "scratch").mkdir()
    prepared = folder / "prepared"
    roots = f"--prepared {prepared} --results {folder}/results --scratch {folder}/scratch"
    code, text = two_nodes(
        f'set -e\n{sys.executable} -m pipelines.prepare --data-json \'{{"name": "digits"}}\' '
        f"--out {prepared}/digits\n"
        f"{sys.executable} {folder}/driver.py {folder} --spec {folder}/spec.json {roots} "
        "--workers 2"
    )
    assert code == 0, text
    hosts = {(folder / "scratch" / f"rank{rank}").read_text() for rank in (0, 1)}
    assert hosts == set(cluster.names)
    result = read_json(folder / "results" / "runs" / run_id(spec) / "result.json")
    assert result["hardware"]["world_size"] == 2
    assert leftovers(cluster) == ""


def test_nodes_that_do_not_come_up_are_named(cluster, two_nodes):
    # The temporary folder that Ray shall use is there on one node only.
    (two_nodes.folder / "driver.py").write_text(KILLED_INSIDE)
    code, text = two_nodes(
        "mkdir /tmp/only; trap 'rmdir /tmp/only' EXIT\n"
        f"STRUCTNETS_TMP=/tmp/only {sys.executable} {two_nodes.folder}/driver.py"
    )
    assert code == 1
    assert re.search("Ray did not come up on (n1, )?n2: it ended with exit code 1", text)
    assert "inside" not in text
    assert "No such file or directory: '/tmp/only/" in text
    assert leftovers(cluster) == ""


def test_nothing_is_left_of_a_driver_killed(cluster, two_nodes):
    (two_nodes.folder / "driver.py").write_text(KILLED_INSIDE)
    # The job goes on, so that it is not Slurm that ends Ray.
    look = f'srun --overlap --nodes=2 --ntasks=2 bash -c "{LEFTOVERS}"'
    code, text = two_nodes(f"{sys.executable} {two_nodes.folder}/driver.py\nsleep 5\n{look}; true")
    assert code == 0, text
    assert "inside" in text
    assert not re.search("^(raylet|gcs_server|python|/tmp/r)", text, re.MULTILINE), text
    assert leftovers(cluster) == ""


def leftovers(cluster):
    """Return what Ray left on the nodes: processes and files."""
    done = cluster.run("srun", "--nodes=2", "--ntasks-per-node=1", "bash", "-c", LEFTOVERS)
    return done.stdout
