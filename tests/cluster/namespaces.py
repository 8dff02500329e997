"""A network of machines made of Linux namespaces, all of which end with one process.

The outer namespaces (network, host name, processes, mounts) are the head: they hold a bridge, and
private versions of ``/etc/slurm`` and ``/etc/hosts``, so that nothing of the real machine is
touched. Every node is another set of namespaces inside them, with an address on the bridge and a
``/tmp`` of its own. The kernel ends all of it when the process that holds the head ends, and that
ends with the process that started it, however it does.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.cluster.packages import cluster_environment

HEAD = "head"
SUBNET = "10.77.0"
HEAD_ADDRESS = f"{SUBNET}.1"
KINDS = ("--net", "--uts", "--ipc", "--pid", "--mount")
UNSHARE = ("unshare", *KINDS, "--fork", "--kill-child", "--mount-proc")
# Bash, because a first process must reap what is orphaned.
HEAD_SCRIPT = """
set -e
hostname "$1"
ip link set lo up
ip link add name bridge type bridge
ip address add "$2/24" dev bridge
ip link set bridge up
mkdir -p /etc/slurm
mount --bind "$3/etc" /etc/slurm
mount --bind "$3/hosts" /etc/hosts
touch "$3/ready"
sleep infinity & wait
"""
# Every node has its own /tmp, but keeps what lies there and all nodes must see.
NODE_SCRIPT = """
set -e
name=$1 address=$2
shift 2
hostname "$name"
until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
ip link set lo up
ip address add "$address/24" dev eth0
ip link set eth0 up
mount --rbind /tmp /mnt
mount -t tmpfs -o mode=1777 tmpfs /tmp
for path in "$@"; do
    mkdir -p "$path"
    mount --bind "/mnt/${path#/tmp/}" "$path"
done
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
slurmd -D -N "$name" & wait
"""
PROBE = """
ip link add name bridge type bridge && ip link add name one type veth peer name two &&
mount --bind /tmp /mnt && mount -t tmpfs tmpfs /tmp
"""


def refusal() -> str | None:
    """Say why this machine refuses such namespaces, or return None."""
    done = subprocess.run(
        [*UNSHARE, "bash", "-c", PROBE], capture_output=True, text=True, check=False
    )
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else None


def node_address(number: int) -> str:
    """Return the address of node `number`, counted from 1."""
    return f"{SUBNET}.{10 + number}"


@dataclass
class Network:
    """The head and its nodes.

    Parameters
    ----------
    state : Path
        Folder with ``etc`` (what ``/etc/slurm`` shows), ``hosts`` and ``logs``.
    shared : tuple of Path
        Folders that every node sees, also those under ``/tmp``.
    """

    state: Path
    shared: tuple[Path, ...]
    head: str = HEAD
    head_address: str = HEAD_ADDRESS
    holder: subprocess.Popen[bytes] | None = None
    daemons: list[subprocess.Popen[bytes]] = field(default_factory=list)
    nodes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Mark of its processes."""
        return f"network:{self.state}"

    def node_place(self, number: int) -> str:
        """Return where Slurm finds node `number`."""
        return f"NodeAddr={node_address(number)}"

    def write_hosts(self, names: tuple[str, ...]) -> None:
        """Give every machine its name: what listens on 127.0.0.1 is of no use to the others."""
        lines = ["127.0.0.1 localhost", f"{HEAD_ADDRESS} {HEAD}"]
        lines += [f"{node_address(number)} {name}" for number, name in enumerate(names, 1)]
        (self.state / "hosts").write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        """Make the head.

        Raises
        ------
        RuntimeError
            If it does not come up.
        """
        words = (HEAD_SCRIPT, "head", HEAD, HEAD_ADDRESS, str(self.state))
        # Its own session: Ctrl-C is for the tests, which end it in their order.
        self.holder = self._popen(
            ["setpriv", "--pdeathsig", "KILL", *UNSHARE, "bash", "-c", *words], "head"
        )
        until = time.monotonic() + 10
        while not (self.state / "ready").exists():
            if self.holder.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    "the head's namespaces did not come up: "
                    + (self.state / "logs" / "head.log").read_text()
                )
            time.sleep(0.02)

    def stop(self) -> None:
        """End every process inside, and with the last the namespaces."""
        if self.holder is None:
            return
        self.holder.kill()
        for process in (self.holder, *self.daemons, *self.nodes.values()):
            process.wait()
        self.holder = None
        self.daemons.clear()
        self.nodes.clear()

    def inside(self, *words: str) -> list[str]:
        """Return the command that runs `words` on the head."""
        return self._enter(*KINDS, words=words)

    def spawn(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a daemon on the head."""
        self.daemons.append(self._popen(self.inside(*words), name))
        return self.daemons[-1]

    def add_node(self, name: str, number: int) -> None:
        """Start node `number`, with slurmd in it."""
        kept = [str(path) for path in self.shared if path.is_relative_to("/tmp")]
        words = (NODE_SCRIPT, "node", name, node_address(number), *kept)
        node = self._popen(self.inside(*UNSHARE, "bash", "-c", *words), name)
        self.nodes[name] = node
        # nsenter → unshare → the node's first process, in the node's network.
        first = _child(_child(node.pid))
        cable = f"cable{number}"
        self._ip(f"link add name {cable} type veth peer name eth0 netns {first}")
        self._ip(f"link set {cable} master bridge up")

    def kill_node(self, name: str) -> None:
        """Switch a node off: all its processes end at once."""
        node = self.nodes.pop(name)
        psutil.Process(_child(node.pid)).kill()
        node.wait()

    def processes(self, name: str) -> list[psutil.Process]:
        """Return the processes of a node."""
        return psutil.Process(_child(self.nodes[name].pid)).children(recursive=True)

    def root(self, name: str) -> Path:
        """Return where the files of a node are seen from out here."""
        return Path(f"/proc/{_child(self.nodes[name].pid)}/root")

    def on_node(self, name: str, *words: str) -> list[str]:
        """Return the command that runs `words` among the files and processes of a node."""
        target = str(_child(self.nodes[name].pid))
        return ["nsenter", "--target", target, "--mount", "--pid", *words]

    def set_cable(self, number: int, state: str) -> None:
        """Set the cable of node `number` ``down`` or ``up``."""
        self._ip(f"link set cable{number} {state}")

    def _popen(self, words: list[str], name: str) -> subprocess.Popen[bytes]:
        with (self.state / "logs" / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words,
                env=cluster_environment(self.mark),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _ip(self, line: str) -> None:
        # In the head's network, but with the process numbers of out here.
        words = self._enter("--net", words=("ip", *line.split()))
        subprocess.run(words, check=True)

    def _enter(self, *kinds: str, words: tuple[str, ...]) -> list[str]:
        if self.holder is None:
            raise RuntimeError("the network was not started")
        return ["nsenter", "--target", str(_child(self.holder.pid)), *kinds, *words]


def _child(process: int, patience: float = 5.0) -> int:
    """Return the number of the only child of a process, once it has one."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        if children := psutil.Process(process).children():
            return children[0].pid
        time.sleep(0.01)
    raise RuntimeError(f"process {process} has no child; see the logs of the cluster")
