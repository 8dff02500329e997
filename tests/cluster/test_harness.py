"""However the test cluster ends, it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cluster.namespaces import UNSHARE, refusal
from tests.cluster.packages import marked_processes, obstacle
from tests.made_results import REPOSITORY

pytestmark = pytest.mark.cluster
HOLD = """
import sys, time
from pathlib import Path
from tests.cluster.slurm import Cluster

with Cluster(Path(sys.argv[1])) as cluster:
    cluster.run("sbatch", "--wrap=sleep 100")
    print("up", flush=True)
    time.sleep(100)
"""
# In namespaces of its own, since it writes to /etc/slurm.
ON_ONE_HOST = """
mount -t tmpfs tmpfs /etc/slurm
echo ClusterName=precious > /etc/slurm/slurm.conf
ip link set lo up
ip address add 10.78.0.1/32 dev lo # Slurm asks for an address besides loopback
"$1" -c '
import sys
from pathlib import Path
from tests.cluster.slurm import Cluster

with Cluster(Path(sys.argv[1]), separate=False) as cluster:
    cluster.run("sbatch", "--wrap=sleep 100")
    done = cluster.run("srun", "--nodes=2", "bash", "-c", "echo $SLURMD_NODENAME")
    print(done.stdout)
' "$2"
cat /etc/slurm/slurm.conf
ps -e -o stat= -o comm= | grep -E "slurm|munge|sleep" | grep -v -E "^Z|grep"
"""


@pytest.fixture(autouse=True)
def _possible():
    if reason := obstacle() or refusal():
        pytest.skip(reason)


@pytest.mark.short
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ends_with_the_process_that_started_it(tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, tmp_path], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        mark = f"network:{tmp_path}"
        assert len(marked_processes(mark)) > 8
        os.kill(holder.pid, number)
        holder.wait(10)
    until = time.monotonic() + 5
    while left := marked_processes(mark):
        assert time.monotonic() < until, left
        time.sleep(0.05)


def test_two_daemons_on_one_host_where_namespaces_are_refused(tmp_path):
    done = subprocess.run(
        [*UNSHARE, "bash", "-c", ON_ONE_HOST, "bash", sys.executable, tmp_path],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    words = done.stdout.split()
    # The nodes, the configuration as it was before, and no process left.
    assert sorted(words[:2]) == ["n1", "n2"], done.stdout + done.stderr
    assert words[2:] == ["ClusterName=precious"]
