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
"$1" -c '
import sys
from pathlib import Path
from tests.cluster.slurm import Cluster

with Cluster(Path(sys.argv[1]), separate=False) as cluster:
    cluster.run("sbatch", "--wrap=sleep 100")
    done = cluster.run("srun", "--nodes=2", "bash", "-c", "echo $SLURMD_NODENAME")
    print(done.stdout + done.stderr)
' "$2"
cat /etc/slurm/slurm.conf
ps -e | grep -c -E "slurm|munge|sleep"
"""


@pytest.fixture(autouse=True)
def _possible():
    if reason := obstacle() or refusal():
        pytest.skip(reason)


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
    first, second, configuration, processes = done.stdout.split()
    assert {first, second} == {"n1", "n2"}, done.stderr
    assert configuration == "ClusterName=precious"
    assert processes == "0"
