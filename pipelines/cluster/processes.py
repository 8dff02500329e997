"""Who left something on disk: processes and workflow calls that others can tell apart."""

from __future__ import annotations

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


def is_alive(pid: int, created: float) -> bool:
    """Say whether the process of that number is still the one that began at `created`."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process.create_time() == created
    except psutil.NoSuchProcess:
        return False
