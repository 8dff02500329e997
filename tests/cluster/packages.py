"""What the test cluster needs of this machine: ``python -m tests.cluster.packages`` installs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

# A program of each Debian package.
PACKAGES = {
    "slurmctld": "slurm-wlm",
    "munged": "munge",
    "initdb": "postgresql",
    "ip": "iproute2",
    "nsenter": "util-linux",
}
# Without a network, or while another installs, apt gives up.
PATIENT = (
    *("--quiet=2", "-oAcquire::Retries=1", "-oAcquire::http::Timeout=30"),
    *("-oAcquire::https::Timeout=30", "-oDPkg::Lock::Timeout=120"),
)
# Debian keeps PostgreSQL's and the daemons' programs out of a user's PATH.
PLACES = ("usr/sbin", "sbin", "usr/lib/postgresql/*/bin")
# Every process of a test cluster has it in its environment: "<kind>:<folder of its state>".
MARK = "STRUCTNETS_TEST_CLUSTER"


def search_path() -> str:
    """Return ``PATH`` with the folders Debian hides programs in."""
    hidden = [str(folder) for place in PLACES for folder in sorted(Path("/").glob(place))]
    return os.pathsep.join([*os.get_exec_path(), *hidden])


def cluster_environment(mark: str, **more: str) -> dict[str, str]:
    """Return the environment of the processes of a test cluster."""
    return {**os.environ, "PATH": search_path(), MARK: mark, **more}


def log_name(mark: str) -> str:
    """Return how slurmd's logs begin: its step daemons, whose environment is lost, keep it open."""
    return f"structnets-{mark.partition(':')[0]}"


def marked_processes(mark: str) -> list[psutil.Process]:
    """Return the living processes whose mark begins so."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and _is_marked(process, mark):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def _is_marked(process: psutil.Process, mark: str) -> bool:
    if process.name() != "slurmstepd":
        return process.environ().get(MARK, "").startswith(mark)
    folder = mark.partition(":")[2]
    paths = [Path(file.path) for file in process.open_files()]
    return any(
        path.name.startswith(log_name(mark)) and str(path).startswith(folder) for path in paths
    )


def missing_packages() -> list[str]:
    """Return the packages whose programs are not to be found."""
    where = search_path()
    return [name for program, name in PACKAGES.items() if not shutil.which(program, path=where)]


def obstacle() -> str | None:
    """Say why no cluster can be started here, or return None."""
    if sys.platform != "linux":
        return f"a Slurm cluster needs Linux, this is {sys.platform}"
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root; run `sudo make cluster-test`"
    if missing := missing_packages():
        return f"not installed: {', '.join(missing)}; run `make cluster-test` as root"
    return None


def install() -> None:
    """Install what is missing by apt, where that is allowed."""
    missing = missing_packages()
    if not missing or os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"installing {' '.join(missing)}", flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
        subprocess.run(["apt-get", *PATIENT, *words], check=False, env=quiet)


if __name__ == "__main__":
    install()
    if reason := obstacle():
        print(f"the cluster tests will be skipped: {reason}")
