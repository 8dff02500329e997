"""One Ray over the nodes of a Slurm allocation, for as long as a block lasts.

The driver, in the batch step, starts a step of node holders: ``srun … python -m pipelines.allocation
--address HOST:PORT [--head] …`` on every node. A holder runs Ray as its child and lives as long as
its standard input, which Slurm forwards from the driver. However the driver ends, the holders see
that end, kill what Ray left on their node, and remove its files.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipelines.stage import stage_parser

logger = logging.getLogger("structnets.allocation")
PATIENCE = 120.0
OBJECT_STORE_BYTES = 200 * 2**20
FIRST_PORT = 20_000
PORTS = 6_000
PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Allocation:
    """What Slurm granted this job; processors, GPUs and memory (MB) are those of one node."""

    job: str
    nodes: tuple[str, ...]
    cpus: int
    gpus: int
    memory: int

    @property
    def port(self) -> int:
        """Port of Ray's head, another one for each of the jobs that may share a node."""
        return FIRST_PORT + int(self.job) % PORTS


def find_allocation() -> Allocation | None:
    """Return the allocation of this job if it has several nodes, else None.

    Slurm is asked, since Snakemake hides the node list from the shells of its jobs.

    Raises
    ------
    OSError
        If ``scontrol`` does not answer.
    """
    job = os.environ.get("SLURM_JOB_ID")
    if job is None or os.environ.get("SLURM_NNODES") == "1":
        return None
    text = _scontrol("show", "job", "--oneliner", job)
    count = int(_field(text, "NumNodes").partition("-")[0])
    if count == 1:
        return None
    granted = dict(re.findall(r"([\w/]+)=([\w.]+)", _field(text, "AllocTRES", "TRES")))
    return Allocation(
        job,
        tuple(_scontrol("show", "hostnames", _field(text, "NodeList")).split()),
        int(_field(text, "NumCPUs")) // count,
        int(granted.get("gres/gpu", 0)) // count,
        _megabytes(granted.get("mem", "0")) // count,
    )


def _scontrol(*words: str) -> str:
    done = subprocess.run(["scontrol", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"scontrol {' '.join(words)} failed: {done.stderr.strip()}")
    return done.stdout


def _field(text: str, *names: str) -> str:
    for name in names:
        if found := re.search(rf"(?:^|\s){name}=(\S+)", text):
            return found[1]
    raise OSError(f"scontrol shows no {' or '.join(names)} of this job: {text.strip()}")


def _megabytes(text: str) -> int:
    """Convert Slurm's amounts: a number of MB, or one with a unit."""
    number, unit = re.fullmatch(r"([\d.]+)([KMGT]?)", text).groups()  # pyright: ignore[reportOptionalMemberAccess]
    return int(float(number) * 1024 ** ("KMGT".index(unit or "M") - 1))


class NodesOfRay:
    """The running holders of an allocation.

    Parameters
    ----------
    allocation : Allocation
        Its nodes.
    log : Path
        File for what the holders print.
    """

    def __init__(self, allocation: Allocation, log: Path) -> None:
        self.allocation = allocation
        self.log = log
        self.own = _own_node(allocation)
        others = [name for name in allocation.nodes if name != self.own]
        self.address = f"{own_address(others[0], 6818)}:{allocation.port}"
        self.steps: list[subprocess.Popen[bytes]] = []
        self._start([self.own], "--head")
        self._start(others)

    def _start(self, nodes: list[str], *options: str) -> None:
        granted = self.allocation
        step = [
            *("srun", "--overlap", "--quiet", f"--nodelist={','.join(nodes)}"),
            *(f"--nodes={len(nodes)}", f"--ntasks={len(nodes)}", "--ntasks-per-node=1"),
            f"--cpus-per-task={granted.cpus}",
            *([f"--gres=gpu:{granted.gpus}"] if granted.gpus else []),
        ]
        holder = [
            *(sys.executable, "-m", "pipelines.allocation", "--address", self.address),
            *("--cpus", str(granted.cpus), "--gpus", str(granted.gpus)),
            *("--memory", str(granted.memory), *options),
        ]
        with self.log.open("ab") as log:
            self.steps.append(
                subprocess.Popen(step + holder, stdin=subprocess.PIPE, stdout=log, stderr=log)
            )

    def wait_for_head(self, patience: float = PATIENCE) -> None:
        """Wait until Ray's head listens.

        Raises
        ------
        RuntimeError
            If a holder ended, or it takes longer than `patience` seconds.
        """
        until = time.monotonic() + patience
        while not _listens(self.address):
            self._check(until, patience, set())

    def wait_for_all(self, patience: float = PATIENCE) -> None:
        """Wait until every node joined the Ray that this process is connected to.

        Raises
        ------
        RuntimeError
            As `wait_for_head`, with the names of the missing nodes.
        """
        import ray

        until = time.monotonic() + patience
        while True:
            there = {node["NodeName"] for node in ray.nodes() if node["Alive"]}
            if there >= set(self.allocation.nodes):
                return
            self._check(until, patience, there)

    def _check(self, until: float, patience: float, there: set[str]) -> None:
        ended = [step.returncode for step in self.steps if step.poll() is not None]
        if ended or time.monotonic() > until:
            absent = ", ".join(name for name in self.allocation.nodes if name not in there)
            why = f"ended with exit code {ended[0]}" if ended else f"took over {patience:.0f} s"
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise RuntimeError(f"Ray did not come up on {absent}: it {why}. It said:\n{tail}")
        time.sleep(0.2)

    def end(self, patience: float = 15.0) -> None:
        """Close the holders' input, at which they end; kill the steps that do not."""
        for step in self.steps:
            if step.stdin is not None:
                step.stdin.close()
        until = time.monotonic() + patience
        for step in self.steps:
            try:
                step.wait(max(until - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                logger.warning("a step of Ray does not end; Slurm will end it with the job")
                step.kill()
                step.wait()


@contextlib.contextmanager
def over_nodes(allocation: Allocation, temp: Path) -> Iterator[NodesOfRay]:
    """Start Ray on every node of an allocation; its head listens when the block begins.

    ``RAY_AUTH_TOKEN`` must be set: it is how the nodes know each other.

    Parameters
    ----------
    allocation : Allocation
        As `find_allocation` gives it.
    temp : Path
        Folder for the log of the nodes.
    """
    nodes = NodesOfRay(allocation, temp / "nodes.log")
    try:
        nodes.wait_for_head()
        yield nodes
    finally:
        nodes.end()


def _own_node(allocation: Allocation) -> str:
    name = os.environ.get("SLURMD_NODENAME") or socket.gethostname().partition(".")[0]
    if name not in allocation.nodes:
        raise OSError(
            f"this is node {name}, but the job has {', '.join(allocation.nodes)}; start the "
            "stage in the job itself, not by srun on another node"
        )
    return name


def own_address(host: str, port: int) -> str:
    """Return the address of this machine that `host` sees; a host name may mean 127.0.1.1."""
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, socket.AF_INET, socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(where)
        return probe.getsockname()[0]


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _interface(address: str) -> str:
    """Return the network interface that has an address."""
    for name, bound in psutil.net_if_addrs().items():
        if any(one.address == address for one in bound):
            return name
    raise OSError(f"no network interface of this node has the address {address}")


def hold_node(address: str, head: bool, cpus: int, gpus: int, memory: int) -> int:
    """Run Ray on this node until standard input ends; returns an exit code.

    Parameters
    ----------
    address : str
        Address and port of the head.
    head : bool
        Whether this node is it.
    cpus, gpus, memory : int
        What Ray may use here; memory in MB.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    host, _, port = address.rpartition(":")
    mine = host if head else own_address(host, int(port))
    prefix = f"r{os.environ.get('SLURM_JOB_ID', '')}-"
    temp = tempfile.mkdtemp(prefix=prefix, dir=os.environ.get("STRUCTNETS_TMP", "/tmp"))
    words = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block"),
        *(f"--node-ip-address={mine}", f"--temp-dir={temp}", "--disable-usage-stats"),
        *(f"--node-name={_node_name()}", f"--num-cpus={cpus}", f"--num-gpus={gpus}"),
        *(f"--memory={memory * 2**20}", f"--object-store-memory={OBJECT_STORE_BYTES}"),
        # Ports that two jobs on one node could both want are left to chance.
        *("--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"),
        *(_head_words(int(port)) if head else (f"--address={address}",)),
    ]
    try:
        while not head and not _listens(address):
            if _input_ended(0.2):
                return 0
        # Gloo would listen where the host name points, which may be 127.0.1.1.
        environment = {**os.environ, "GLOO_SOCKET_IFNAME": _interface(mine)}
        child = subprocess.Popen(words, stdin=subprocess.DEVNULL, env=environment)
        while child.poll() is None:
            if _input_ended(0.5):
                return 0
        return child.returncode or 1
    finally:
        _kill_children()
        shutil.rmtree(temp, ignore_errors=True)


def _head_words(port: int) -> tuple[str, ...]:
    # The client server cannot be left out; its usual port may be another job's.
    client = f"--ray-client-server-port={port + PORTS}"
    return ("--head", "--include-dashboard=false", f"--port={port}", client)


def _node_name() -> str:
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname()


def _input_ended(seconds: float) -> bool:
    """Wait so long at most for standard input to end."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    return bool(readable) and not os.read(sys.stdin.fileno(), 4096)


def _kill_children(patience: float = 5.0) -> None:
    """Kill all descendants; those whose parent died are children of this process by then."""
    until = time.monotonic() + patience
    while (left := psutil.Process().children(recursive=True)) and time.monotonic() < until:
        for process in left:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=0.5)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = stage_parser(__doc__)
    parser.add_argument("--address", required=True, help="address and port of Ray's head")
    parser.add_argument("--head", action="store_true", help="this node is it")
    parser.add_argument("--cpus", type=int, required=True, help="processors for Ray here")
    parser.add_argument("--gpus", type=int, default=0, help="GPUs for Ray here")
    parser.add_argument("--memory", type=int, required=True, help="memory for Ray here, in MB")
    options = parser.parse_args(arguments)
    return hold_node(options.address, options.head, options.cpus, options.gpus, options.memory)


if __name__ == "__main__":
    sys.exit(main())
