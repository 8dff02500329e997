"""Hold Ray on one node of an allocation; `pipelines.cluster.allocation` starts this by ``srun``.

``python -m pipelines.cluster.ray_node --address HOST:PORT [--head] --cpus C [--gpus G] --memory
MB``

It starts Ray, says so, and waits for the end of its standard input; then it kills all of Ray on
this node and removes its files.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

import psutil

from pipelines.cluster.ray_temp import short_temp
from pipelines.stage import stage_parser

OBJECT_STORE_BYTES = 200 * 2**20
PR_SET_CHILD_SUBREAPER = 36
READY = "Ray runs on {}"
# A head has two ports, so far apart.
PORTS = 6_000
# Ray gives a raylet 30 s to start, too few on a busy node.
STARTS = 3
# How often Ray is started again on a node where it ended; not on the head, which holds the state.
RESTARTS = 3
# A raylet that leaves its agents' ports to chance gives them 15 s to come up, and dies where its
# node is too busy for that (Ray's issue 65983).
AGENTS = ("dashboard-agent-grpc", "dashboard-agent-listen", "metrics-export", "runtime-env-agent")


def node_name() -> str:
    """Return Slurm's name of this node."""
    return os.environ.get("SLURMD_NODENAME") or socket.gethostname().partition(".")[0]


def own_address(host: str, port: int) -> str:
    """Return the address of this machine that `host` sees; a host name may mean 127.0.1.1."""
    family, kind, protocol, _, where = socket.getaddrinfo(
        host, port, socket.AF_INET, socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(where)
        return probe.getsockname()[0]


def _listens(address: str) -> bool:
    try:
        with socket.create_connection(_parts(address), timeout=1):
            return True
    except OSError:
        return False


def _interface(address: str) -> str:
    """Return the network interface that has an address."""
    for name, bound in psutil.net_if_addrs().items():
        if any(one.address == address for one in bound):
            return name
    raise OSError(f"no network interface of this node has the address {address}")


@dataclass(frozen=True)
class RayNode:
    """Ray on this node.

    Parameters
    ----------
    address : str
        Address and port of the head.
    head : bool
        Whether this node is it.
    cpus, gpus, memory : int
        What Ray may use here; memory in MB.
    """

    address: str
    head: bool
    cpus: int
    gpus: int
    memory: int

    def hold(self) -> int:
        """Run Ray until standard input ends; returns an exit code."""
        # What loses its parent becomes a child of this process, which ends it.
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
        with short_temp(f"r{os.environ.get('SLURM_JOB_ID', '')}-") as temp:
            try:
                return self._run(str(temp))
            finally:
                _kill_children()

    def _run(self, temp: str) -> int:
        while not self.head and not _listens(self.address):
            if _input_ended(0.2):
                return 0
        host, port = _parts(self.address)
        own = host if self.head else own_address(host, port)
        # Gloo would listen where the host name points, which may be 127.0.1.1.
        os.environ["GLOO_SOCKET_IFNAME"] = _interface(own)
        for _ in range(1 if self.head else 1 + RESTARTS):
            if (code := self._run_once(own, temp)) is not None:
                return code
            print(f"Ray ended on {node_name()}", flush=True)
            _kill_children()
            if not _listens(self.address):
                break
        return 1

    def _run_once(self, own: str, temp: str) -> int | None:
        """Run Ray; returns an exit code, or None if it ended by itself."""
        if (code := self._start(own, temp)) is not None:
            return code
        print(READY.format(node_name()), flush=True)
        while _raylet_lives():
            if _input_ended(1):
                return 0
        return None

    def _start(self, own: str, temp: str) -> int | None:
        """Start Ray, in a few attempts; returns an exit code, or None once it runs."""
        code = None
        for left in reversed(range(STARTS)):
            start = subprocess.Popen(self._start_words(own, temp), stdin=subprocess.DEVNULL)
            while start.poll() is None:
                if _input_ended(0.1):
                    return 0
            code = start.returncode or None
            if code is None:
                return None
            if left:
                print(f"Ray did not start on {node_name()}; trying again", flush=True)
                _kill_children()
        return code

    def _start_words(self, own: str, temp: str) -> list[str]:
        role = [f"--address={self.address}"]
        if self.head:
            port = _parts(self.address)[1]
            # The client server cannot be left out; its usual port may be another job's.
            client = f"--ray-client-server-port={port + PORTS}"
            role = ["--head", "--include-dashboard=false", f"--port={port}", client]
        return [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *role, "--disable-usage-stats"),
            *(f"--node-ip-address={own}", f"--temp-dir={temp}", f"--node-name={node_name()}"),
            *(f"--num-cpus={self.cpus}", f"--num-gpus={self.gpus}"),
            *(f"--memory={self.memory * 2**20}", f"--object-store-memory={OBJECT_STORE_BYTES}"),
            *("--min-worker-port=0", "--max-worker-port=0"),
            *(f"--{name}-port={port}" for name, port in zip(AGENTS, _free_ports(), strict=True)),
        ]


def _parts(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


def _free_ports() -> list[int]:
    """Return a port for each of the agents."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in AGENTS]
        for probe in probes:
            probe.bind(("", 0))
        return [probe.getsockname()[1] for probe in probes]


def _raylet_lives() -> bool:
    """Say whether Ray still runs here, and take leave of orphans that ended."""
    alive = False
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(child.pid, os.WNOHANG)
            else:
                alive |= child.name() == "raylet"
    return alive


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
    return RayNode(**vars(parser.parse_args(arguments))).hold()


if __name__ == "__main__":
    sys.exit(main())
