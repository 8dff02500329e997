"""One Ray over the nodes of a Slurm allocation, for as long as a block lasts.

The driver, in the batch step, starts a holder on every node (`pipelines.cluster.ray_node`) by
``srun``. The holders end when their standard input does, which Slurm forwards from the driver:
however the driver ends, nothing of Ray is left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipelines.cluster.ray_node import PORTS, READY, node_name, own_address

logger = logging.getLogger("structnets.allocation")
PATIENCE = 240.0
# Another port for each of the jobs that may share a node, below those that Linux gives out.
FIRST_PORT = 20_000


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
        """Port of Ray's head."""
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
            *("srun", "--overlap", "--quiet", "--no-kill", f"--nodelist={','.join(nodes)}"),
            *(f"--nodes={len(nodes)}", f"--ntasks={len(nodes)}", "--ntasks-per-node=1"),
            f"--cpus-per-task={granted.cpus}",
            *([f"--gres=gpu:{granted.gpus}"] if granted.gpus else []),
        ]
        holder = [
            *(sys.executable, "-m", "pipelines.cluster.ray_node", "--address", self.address),
            *("--cpus", str(granted.cpus), "--gpus", str(granted.gpus)),
            *("--memory", str(granted.memory), *options),
        ]
        with self.log.open("ab") as log:
            self.steps.append(
                subprocess.Popen(step + holder, stdin=subprocess.PIPE, stdout=log, stderr=log)
            )

    def wait(self, patience: float = PATIENCE) -> None:
        """Wait until Ray runs on every node.

        Raises
        ------
        RuntimeError
            If a holder ended, or it takes longer than `patience` seconds; with the names of the
            missing nodes, and what the holders printed.
        """
        until = time.monotonic() + patience
        while absent := self._absent():
            ended = [step.returncode for step in self.steps if step.poll() is not None]
            if ended or time.monotonic() > until:
                why = f"ended with exit code {ended[0]}" if ended else f"took over {patience:.0f} s"
                tail = "\n".join(self._said()[-20:])
                raise RuntimeError(
                    f"Ray did not come up on {', '.join(absent)}: it {why}. It said:\n{tail}"
                )
            time.sleep(0.1)

    def _said(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()

    def _absent(self) -> list[str]:
        said = self._said()
        return [name for name in self.allocation.nodes if READY.format(name) not in said]

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
def over_nodes(allocation: Allocation, temp: Path) -> Iterator[str]:
    """Run one Ray on all nodes of an allocation during a block; yields its address.

    ``RAY_AUTH_TOKEN`` must be set: it is how the nodes know each other.

    Parameters
    ----------
    allocation : Allocation
        As `find_allocation` gives it.
    temp : Path
        Folder for the log of the nodes.

    Raises
    ------
    RuntimeError
        As `NodesOfRay.wait`.
    """
    nodes = NodesOfRay(allocation, temp / "nodes.log")
    try:
        nodes.wait()
        yield nodes.address
    finally:
        nodes.end()


def _own_node(allocation: Allocation) -> str:
    name = node_name()
    if name not in allocation.nodes:
        raise OSError(
            f"this is node {name}, but the job has {', '.join(allocation.nodes)}; start the "
            "stage in the job itself, not by srun on another node"
        )
    return name
