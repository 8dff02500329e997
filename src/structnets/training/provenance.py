"""Where a number comes from: git state, versions, hardware."""

from __future__ import annotations

import logging
import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import structnets
from structnets.identity import digest
from structnets.training.code_digest import VERSION

logger = logging.getLogger(__name__)
_ROOT = Path(structnets.__file__).parent
_PACKAGES = ("torch", "numpy", "structnets")


def git_state(folder: Path = _ROOT) -> dict[str, Any]:
    """Return the commit of the checkout that holds the library, and whether it has changes."""
    try:
        sha = _git(folder, "rev-parse", "HEAD")
        dirty = bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return {"sha": None, "dirty": None}
    return {"sha": sha, "dirty": dirty}


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def continued(earlier: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return the origin of a run of which `earlier` code computed the first steps.

    If the code differs the digest is of both, which no code has: the ledger marks the run until it
    is confirmed. ``code_parts`` then holds the digests in their order.
    """
    today = now.get("code_digest")
    parts = earlier.get("code_parts", [earlier.get("code_digest")])
    if today not in parts:
        parts = [*parts, today]
    if len(parts) == 1:
        return now
    logger.warning(
        "the run's earlier steps were computed by other code (commit %s), so its result will be of "
        "both; remove its work folder to train anew",
        (earlier.get("git") or {}).get("sha"),
    )
    return {**now, "code_digest": f"{VERSION}:{digest(parts)}", "code_parts": parts}


def versions() -> dict[str, str]:
    """Return the versions of Python and of what the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def hardware(device: Any, threads: int, world_size: int) -> dict[str, Any]:
    """Describe what a run was computed on; ``class`` is ``cpu`` or ``gpu``.

    Every process of a group must call it, since ``nodes`` are the machines of all, by rank.
    ``instructions`` are the widest that PyTorch's own functions use: sums of eight and of sixteen
    numbers at once differ in rounding.
    """
    import torch

    if device.type == "cuda":
        name, kind = torch.cuda.get_device_name(device), "gpu"
    else:
        name, kind = _processor(), "cpu"
    return {
        "class": kind,
        "name": name,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": threads,
        "world_size": world_size,
        "nodes": _nodes(),
    }


def _nodes() -> list[str]:
    from torch import distributed

    name = platform.node().partition(".")[0]
    if not (distributed.is_available() and distributed.is_initialized()):
        return [name]
    names: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(names, name)
    return names


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def peak_memory_mb(device: Any) -> float:
    """Return the peak memory of this process (on the GPU where there is one), in MiB."""
    if device.type == "cuda":
        import torch

        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
