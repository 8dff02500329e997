"""Run a module as ``python -m`` does, in a process forked from one that has the libraries loaded.

``python -m pipelines.forked MODULE ARGUMENT …``

Starting Python with PyTorch and MLflow takes seconds of processor time, and most jobs of a demo do
little else. `pipelines.fork_server` imports such libraries once for all jobs of a call. This
program asks it for a process with the same arguments, folder, environment and streams, hands on
signals, and ends as that process ends. Where no server answers, it becomes the module itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

# Environment variable: the server's name among the abstract sockets of this machine.
SERVER = "STRUCTNETS_FORK_SERVER"
# What Ctrl-C sends goes to the group of processes, and so reaches the forked one by itself.
HANDED_ON = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
LENGTH = struct.Struct("!I")


def is_mine(connection: socket.socket) -> bool:
    """Say whether the other end of a Unix socket is a process of this user."""
    size = struct.calcsize("3i")
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    return struct.unpack("3i", found)[1] == os.geteuid()


def run_forked(name: str, words: Sequence[str], environment: Mapping[str, str]) -> int | None:
    """Run a module with arguments in a process of the server; wait for its end.

    Parameters
    ----------
    name : str
        The server's.
    words : sequence of str
        The module and its arguments.
    environment : mapping
        Of the process.

    Returns
    -------
    int or None
        Its exit code, 128 and the signal's number if one ended it; None if nothing was started.
    """
    asked = {
        "words": list(words),
        "folder": str(Path.cwd()),
        "environment": dict(environment),
        "group": os.getpgrp(),
    }
    request = json.dumps(asked).encode()
    with socket.socket(socket.AF_UNIX) as server:
        try:
            server.connect(f"\0{name}")
            if not is_mine(server):
                return None
            socket.send_fds(server, [LENGTH.pack(len(request))], [0, 1, 2])
            server.sendall(request)
            begun = server.recv(1)
        except OSError:
            begun = b""
        if not begun:
            return None
        for number in HANDED_ON:
            signal.signal(number, lambda received, frame: server.send(bytes([received])))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ended = b""
        with contextlib.suppress(OSError):
            ended = server.recv(1)
    if not ended:
        print("the process that forks jobs has ended; see launch.log", file=sys.stderr)
        return 1
    return ended[0]


def main(words: Sequence[str]) -> int:
    """Run the command line."""
    if not words:
        print("give a module and its arguments", file=sys.stderr)
        return 2
    name = os.environ.get(SERVER)
    ended = run_forked(name, words, os.environ) if name else None
    if ended is None:
        os.execv(sys.executable, [sys.executable, "-m", *words])
    return ended


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
