"""Import what the jobs of a call share once, and fork a process for each of them.

``python -m pipelines.fork_server --socket FD MODULE …`` imports the modules, then serves
`pipelines.forked`, until its standard input ends and no process is left.

It imports libraries only and nothing of this project, so that every job runs the code that lies
there when it begins, as if it had been started by itself. `multiprocessing.forkserver` does the
same for the children of one program; jobs are commands of their own.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import runpy
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import IO, Any

from pipelines.forked import HANDED_ON, LENGTH, SERVER, is_mine

# What several of the stages import. Not Ray, which reads its settings when it is imported.
LIBRARIES = (
    "torch",
    "torch._dynamo",  # comes with the first optimiser
    "torch.distributed",
    "mlflow",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "mlflow.store.db.utils",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_svg",
    "scipy.stats",
    "scipy.optimize",
    "scipy.ndimage",
    "sklearn",
    "pandas",
    "pydantic",
    "yaml",
)


def start(log: IO[str], libraries: Sequence[str] = LIBRARIES) -> subprocess.Popen[bytes] | None:
    """Start a server for the processes this one starts from now on; close its `stdin` to end it.

    None is started, and modules start as ever, where the system cannot wait for a process by a
    descriptor (Linux can since 5.3).

    Parameters
    ----------
    log : text file
        For what it says itself.
    libraries : sequence of str
        What it imports.
    """
    if not hasattr(os, "pidfd_open"):
        return None
    name = f"structnets-{secrets.token_hex(16)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen(128)
        number = listener.fileno()
        command = [sys.executable, "-m", "pipelines.fork_server", "--socket", str(number)]
        server = subprocess.Popen(
            [*command, *libraries], stdin=subprocess.PIPE, stdout=log, stderr=log, pass_fds=[number]
        )
    os.environ[SERVER] = name
    return server


class Server:
    """The loop of the server: sockets of callers, and processes forked for them."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.events = selectors.DefaultSelector()
        # A caller's socket and its process, by the descriptor of the process.
        self.jobs: dict[int, socket.socket] = {}

    def serve(self) -> dict[str, Any] | None:
        """Fork until there is nothing left to do; in a forked process, return what is asked."""
        self._watch(self.listener, self._accept)
        self._watch(sys.stdin.fileno(), self._stop)
        while self.events.get_map():
            for key, _ in self.events.select():
                asked = key.data()
                if asked is not None:
                    return asked
        return None

    def _watch(self, what: Any, action: Callable[[], dict[str, Any] | None]) -> None:
        self.events.register(what, selectors.EVENT_READ, action)

    def _stop(self) -> None:
        """Take no more requests."""
        for what in (self.listener, sys.stdin.fileno()):
            self.events.unregister(what)
        self.listener.close()

    def _accept(self) -> dict[str, Any] | None:
        caller, _ = self.listener.accept()
        asked: dict[str, Any] = {"streams": []}
        try:
            if not is_mine(caller):
                raise OSError("it comes from another user's process")
            receive(caller, asked)
            process = os.fork()
        except (OSError, ValueError) as error:
            print(f"a request was not served: {error}", file=sys.stderr, flush=True)
            caller.close()
            process = -1
        if not process:
            self._forget(caller)
            return asked
        for number in asked["streams"]:
            os.close(number)
        if process == -1:
            return None
        with contextlib.suppress(OSError):
            caller.sendall(b"+")
        job = os.pidfd_open(process)
        self.jobs[job] = caller
        self._watch(job, lambda: self._ended(job))
        self._watch(caller, lambda: self._hear(job))
        return None

    def _forget(self, caller: socket.socket) -> None:
        """Close, in a forked process, what is the server's."""
        self.events.close()
        for connection in (self.listener, caller, *self.jobs.values()):
            connection.close()
        for job in self.jobs:
            os.close(job)

    def _ended(self, job: int) -> None:
        """Tell a caller how its process ended."""
        found = os.waitid(os.P_PIDFD, job, os.WEXITED)
        code = 1 if found is None else found.si_status
        if found is not None and found.si_code != os.CLD_EXITED:
            code += 128
        caller = self.jobs.pop(job)
        self.events.unregister(job)
        os.close(job)
        with contextlib.suppress(OSError):
            caller.sendall(bytes([code]))
        with contextlib.suppress(KeyError):
            self.events.unregister(caller)
        caller.close()

    def _hear(self, job: int) -> None:
        """Hand a caller's signals on to its process; end it if the caller was killed."""
        caller = self.jobs[job]
        try:
            received = caller.recv(64)
        except OSError:
            received = b""
        if not received:
            self.events.unregister(caller)
        for number in received or [signal.SIGTERM]:
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(job, number)


def receive(caller: socket.socket, asked: dict[str, Any]) -> None:
    """Receive a request, and the three streams that come first of it.

    Raises
    ------
    OSError, ValueError
        If it ends early.
    """
    head, asked["streams"], _, _ = socket.recv_fds(caller, LENGTH.size, 3)
    if len(head) != LENGTH.size or len(asked["streams"]) != 3:
        raise ValueError("it is none of pipelines.forked")
    with caller.makefile("rb") as file:
        asked |= json.loads(file.read(LENGTH.unpack(head)[0]))


def become(asked: dict[str, Any]) -> None:
    """Run, in a forked process, the module that was asked for, as if it had been started."""
    with contextlib.suppress(OSError):  # of another session
        os.setpgid(0, asked["group"])
    for number in HANDED_ON:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for place, number in enumerate(asked["streams"]):
        os.dup2(number, place)
        os.close(number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    sys.argv = list(asked["words"])
    tempfile.tempdir = None
    _as_started()
    runpy.run_module(asked["words"][0], run_name="__main__", alter_sys=True)


def _as_started() -> None:
    """Set what libraries set when they are imported: threads by the environment, random state."""
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed()
    threads = os.environ.get("OMP_NUM_THREADS", "")
    if threads.isdecimal() and int(threads):
        if "threadpoolctl" in sys.modules:
            import threadpoolctl

            threadpoolctl.threadpool_limits(int(threads))
        if "torch" in sys.modules:
            import torch

            torch.set_num_threads(int(threads))


def main(words: Sequence[str]) -> None:
    """Run the server, and in each process forked from it the module that was asked for."""
    listener = socket.socket(fileno=int(words[words.index("--socket") + 1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its processes have it, and it waits for them
    for name in words[words.index("--socket") + 2 :]:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # else every process would copy these pages when it looks for garbage
    asked = Server(listener).serve()
    if asked is not None:
        become(asked)


if __name__ == "__main__":
    main(sys.argv[1:])
