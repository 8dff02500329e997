"""Who left something on disk: processes and workflow calls that others can tell apart."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

# Environment variable: any word of its own for every call of the workflow; its jobs inherit it.
CALL = "STRUCTNETS_CALL"


def this_process() -> dict[str, Any]:
    """Return ``host``, ``pid`` and ``created``, by which `has_ended` knows this process again."""
    me = os.getpid()
    return {"host": socket.gethostname(), "pid": me, "created": began(me)}


def began(pid: int) -> str | float:
    """Return when a process began, so that setting the clock does not change it (on Linux).

    Raises
    ------
    psutil.NoSuchProcess
        If there is none of that number.
    """
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not boot.exists():
        return psutil.Process(pid).create_time()
    try:
        line = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    # The name, in parentheses, may hold anything; ticks since the boot are the 20th word after it.
    return f"{boot.read_text().strip()} {line.rpartition(')')[2].split()[19]}"


def has_ended(process: Mapping[str, Any]) -> bool:
    """Say whether a process is known to have ended; of another host's nothing is known."""
    here = process["host"] == socket.gethostname()
    return here and not is_alive(process["pid"], process["created"])


def is_alive(pid: int, created: str | float, *, mine: bool = False) -> bool:
    """Say whether the process of that number is still the one that began at `created`.

    Parameters
    ----------
    pid, created : int, str or float
        As `this_process` returns them, or `psutil`.
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
        same = created == (began(pid) if isinstance(created, str) else process.create_time())
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
