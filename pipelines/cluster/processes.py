"""Who left something on disk: processes and workflow calls that others can tell apart."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Any

import psutil

# Environment variable: any word of its own for every call of the workflow; its jobs inherit it.
CALL = "STRUCTNETS_CALL"


def this_process() -> dict[str, Any]:
    """Return ``host``, ``pid`` and ``created``, by which `has_ended` knows this process again."""
    me = psutil.Process()
    return {"host": socket.gethostname(), "pid": me.pid, "created": me.create_time()}


def has_ended(process: Mapping[str, Any]) -> bool:
    """Say whether a process is known to have ended; of another host's nothing is known."""
    here = process["host"] == socket.gethostname()
    return here and not is_alive(process["pid"], process["created"])


def is_alive(pid: int, created: float, *, mine: bool = False) -> bool:
    """Say whether the process of that number is still the one that began at `created`.

    Parameters
    ----------
    pid, created : int, float
        As `this_process` returns them.
    mine : bool
        It must also be this user's.

    Raises
    ------
    ValueError
        If that is no number of a process.
    """
    if type(pid) is not int or not 0 < pid < 1 << 31:
        raise ValueError(f"{pid!r} is no number of a process")
    try:
        process = psutil.Process(pid)
        if mine and process.uids().effective != os.geteuid():
            return False
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() == created
    except psutil.NoSuchProcess:
        return False
