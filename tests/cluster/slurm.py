"""A real Slurm of several nodes on this machine, for as long as a ``with`` block lasts."""

from __future__ import annotations

import secrets
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.cluster import namespaces
from tests.cluster.one_host import CLUSTER_LINE, OneHost
from tests.cluster.packages import cluster_environment, log_name

NODE_CPUS = 4
NODE_MB = 8000
CONFIGURATION = """\
SlurmctldHost={head}({head_address})
SlurmctldPort=26817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={state}/munge.socket,cred_expire=20
StateSaveLocation={state}/controller
SlurmdSpoolDir={state}/spool-%n
SlurmctldPidFile={state}/slurmctld.pid
SlurmdPidFile={state}/slurmd-%n.pid
SlurmctldLogFile={state}/logs/slurmctld.log
SlurmdLogFile={state}/logs/{slurmd_log}-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdTimeout=60
MessageTimeout=30
KillWait=5
MinJobAge=3600
MpiDefault=none
SchedulerParameters=sched_interval=2,bf_interval=2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=spare Nodes=ALL MaxTime=INFINITE State=UP
"""
NODE = "NodeName={name} {place} CPUs={cpus} RealMemory={mb} State=UNKNOWN\n"


class Job(NamedTuple):
    """A job as ``squeue`` shows it; the workflow's plugin names the rule in the comment."""

    number: int
    state: str
    host: str
    partition: str
    comment: str


@dataclass
class Cluster:
    """A controller and its nodes.

    Parameters
    ----------
    state : Path
        An empty folder for configuration, state and logs.
    shared : tuple of Path
        Folders that every node must see besides it.
    size : int
        Number of nodes.
    separate : bool
        Give each node namespaces of its own; by default where this machine allows it.
    """

    state: Path
    shared: tuple[Path, ...] = ()
    size: int = 2
    separate: bool = field(default_factory=lambda: namespaces.refusal() is None)
    names: tuple[str, ...] = ()
    _handlers: dict[int, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Bring it up; what a failure leaves half up is taken down again."""
        self.names = tuple(f"n{number}" for number in range(1, self.size + 1))
        for name in ("etc", "logs", "controller", *(f"spool-{node}" for node in self.names)):
            (self.state / name).mkdir(parents=True)
        shared = (self.state, *self.shared)
        self.place = (
            namespaces.Network(self.state, shared) if self.separate else OneHost(self.state)
        )
        # An exception, on whose way out everything is taken down; SIGINT is ignored behind `&`.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._handlers[number] = signal.signal(number, signal.default_int_handler)
        try:
            self._configure()
            self.place.start()
            self._start_daemons()
            self.wait_for_nodes()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Take everything down."""
        self.place.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def run(
        self, *words: str, timeout: float = 60, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the submit host; its output is text, its exit code is not judged."""
        return subprocess.run(
            self.command(*words, timeout=timeout, cwd=cwd),
            env=cluster_environment(self.place.mark, **environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def command(self, *words: str, timeout: float = 60, cwd: Path | None = None) -> list[str]:
        """Return the words that run a command on the submit host and end it in time."""
        inner = ["env", f"--chdir={cwd or self.state}", "timeout", "--kill-after=5", str(timeout)]
        return self.place.inside(*inner, *words)

    def wait_for_nodes(self, patience: float = 30) -> None:
        """Wait until all nodes are idle.

        Raises
        ------
        TimeoutError
            If one is not in time.
        """
        until = time.monotonic() + patience
        while True:
            done = self.run("sinfo", "--noheader", "--Node", "--partition=main", "--format=%N %T")
            idle = [line.split()[0] for line in done.stdout.splitlines() if line.endswith(" idle")]
            if sorted(idle) == sorted(self.names):
                return
            if time.monotonic() > until:
                raise TimeoutError(
                    f"of the nodes {', '.join(self.names)} only these became idle: {idle}; "
                    f"{done.stdout}{done.stderr}{self.logs()}"
                )
            time.sleep(0.1)

    def jobs(self) -> list[Job]:
        """Return all jobs the controller remembers, in the order of their numbers.

        Raises
        ------
        RuntimeError
            If it does not answer.
        """
        words = ("squeue", "--states=all", "--noheader", "--format=%i|%T|%B|%P|%k")
        done = self.run(*words, timeout=300)
        if done.returncode:
            raise RuntimeError(f"squeue failed: {done.stderr}{self.logs()}")
        return sorted(Job(int(number), *rest) for number, *rest in _fields(done.stdout))

    def logs(self, lines: int = 15) -> str:
        """Return the end of every daemon's log."""
        return "".join(
            f"\n--- {path.name}\n" + "\n".join(path.read_text().splitlines()[-lines:])
            for path in sorted((self.state / "logs").iterdir())
        )

    def _configure(self) -> None:
        text = CLUSTER_LINE + CONFIGURATION.format(
            state=self.state,
            head=self.place.head,
            head_address=self.place.head_address,
            slurmd_log=log_name(self.place.mark),
        )
        for number, name in enumerate(self.names, 1):
            place = self.place.node_place(number)
            text += NODE.format(name=name, place=place, cpus=NODE_CPUS, mb=NODE_MB)
        (self.state / "etc" / "slurm.conf").write_text(text)
        key = self.state / "munge.key"
        key.touch(mode=0o400)
        key.write_bytes(secrets.token_bytes(128))
        self.place.write_hosts(self.names)

    def _start_daemons(self) -> None:
        files = {"key-file": "munge.key", "socket": "munge.socket", "pid-file": "munged.pid"}
        files |= {"log-file": "logs/munged.log", "seed-file": "munge.seed"}
        options = [f"--{option}={self.state / name}" for option, name in files.items()]
        self.place.spawn("munged", "munged", "--foreground", "--force", *options)
        self._wait_for(self.state / "munge.socket")
        self.place.spawn("slurmctld", "slurmctld", "-D")
        for number, name in enumerate(self.names, 1):
            self.place.add_node(name, number)

    def _wait_for(self, path: Path, patience: float = 10) -> None:
        until = time.monotonic() + patience
        while not path.exists():
            if time.monotonic() > until:
                raise TimeoutError(f"{path} did not appear; {self.logs()}")
            time.sleep(0.02)


def _fields(text: str) -> list[list[str]]:
    return [line.split("|", 4) for line in text.splitlines()]
