"""Where namespaces are refused: all daemons on this host, side by side, told apart by port.

They share one address and one ``/tmp``. Slurm's jobs look for ``/etc/slurm/slurm.conf`` only, so
the one that is there is set aside meanwhile. Every process carries a mark in its environment, by
which the leftovers of a crash are found.
"""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.packages import cluster_environment, marked_processes

INSTALLED = Path("/etc/slurm/slurm.conf")
ASIDE = INSTALLED.with_name("slurm.conf.set-aside-by-structnets-tests")
KIND = "one-host:"
FIRST_PORT = 26820
CLUSTER_LINE = "ClusterName=structnets-test\n"


@dataclass
class OneHost:
    """Daemons of a head and its nodes on this host.

    Parameters
    ----------
    state : Path
        Folder with ``etc`` and ``logs``.
    """

    state: Path
    head: str = field(default_factory=lambda: socket.gethostname().partition(".")[0])
    head_address: str = "127.0.0.1"
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def mark(self) -> str:
        """Mark of its processes."""
        return f"{KIND}{self.state}"

    def node_place(self, number: int) -> str:
        """Return where Slurm finds node `number`."""
        return f"NodeHostname={self.head} NodeAddr=127.0.0.1 Port={FIRST_PORT + number}"

    def write_hosts(self, names: tuple[str, ...]) -> None:
        """Do nothing: there is one machine, which has a name."""

    def start(self) -> None:
        """Remove what a crash left and put the configuration in its place."""
        self.stop()
        INSTALLED.parent.mkdir(exist_ok=True)
        if INSTALLED.exists() or INSTALLED.is_symlink():
            INSTALLED.rename(ASIDE)
        INSTALLED.write_text((self.state / "etc" / "slurm.conf").read_text())

    def stop(self) -> None:
        """End every process of the cluster and put the configuration back."""
        for process in marked_processes(KIND):
            process.kill()
        for daemon in self.daemons:
            daemon.wait()
        self.daemons.clear()
        # A slurmd that is killed leaves its jobs' processes to be found a moment later.
        until = time.monotonic() + 5
        while marked_processes(KIND) and time.monotonic() < until:
            time.sleep(0.05)
        if INSTALLED.is_file() and INSTALLED.read_text().startswith(CLUSTER_LINE):
            INSTALLED.unlink()
        if ASIDE.exists() or ASIDE.is_symlink():
            ASIDE.rename(INSTALLED)

    def inside(self, *words: str) -> list[str]:
        """Return the command that runs `words` on the head."""
        return list(words)

    def spawn(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a daemon that ends with this process."""
        with (self.state / "logs" / f"{name}.log").open("ab") as log:
            daemon = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *words],
                env=cluster_environment(self.mark),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.daemons.append(daemon)
        return daemon

    def add_node(self, name: str, number: int) -> None:
        """Start the slurmd of a node."""
        self.spawn(name, "slurmd", "-D", "-N", name)
