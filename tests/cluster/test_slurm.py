"""The test cluster itself: it runs jobs on its nodes, and leaves nothing behind."""

import pytest

pytestmark = pytest.mark.cluster


@pytest.mark.short
def test_srun_reaches_every_node(cluster):
    done = cluster.run("srun", "--nodes=2", "--ntasks-per-node=1", "hostname")
    expected = cluster.names if cluster.separate else [cluster.place.head] * 2
    assert sorted(done.stdout.split()) == sorted(expected), done.stderr


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_sbatch_on_a_chosen_node(cluster, node):
    output = cluster.state / f"{node}.txt"
    words = ("--wait", f"--nodelist={node}", f"--output={output}", "--wrap=echo $SLURMD_NODENAME")
    done = cluster.run("sbatch", *words)
    assert done.returncode == 0, done.stderr
    assert output.read_text().split() == [node]
