"""Where a number comes from: code digest, git state, versions, hardware."""

from __future__ import annotations

import ast
import functools
import hashlib
import os
import platform
import resource
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import structnets
from structnets.models.registry import module_of
from structnets.training.tasks import form_of

_ROOT = Path(structnets.__file__).parent
_LOOP = {"gradient": "structnets.training.loop", "closed_form": "structnets.training.closed_form"}
# Modules that store, report or schedule a run do not decide what it computes.
_PLUMBING = {
    "structnets.data.manifest",
    "structnets.data.prepared",
    "structnets.data.whole_folder",
    "structnets.files",
    "structnets.identity",
    "structnets.models.counting",
    "structnets.models.registry",
    "structnets.nn.cost_model",
    "structnets.training.checkpoint",
    "structnets.training.loss_record",
    "structnets.training.reporting",
    "structnets.training.tasks",
}
_PACKAGES = ("torch", "numpy", "structnets")


def code_digest(spec: dict[str, Any]) -> str:
    """Digest the library modules that a spec's model, data and recipe use.

    The digest is over syntax trees without docstrings and without checks that only raise, and
    over the import closure: comments, formatting, a new error message or a change elsewhere in
    the library do not enter. Modules that only store, report or schedule are left out.

    Parameters
    ----------
    spec : dict
        Resolved spec.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    form = form_of(spec)
    roots = (
        module_of(spec["model"]["name"]),
        _LOOP[spec["recipe"]["kind"]],
        form.source,
        form.task,
    )
    modules: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in modules:
            modules.add(module)
            waiting.extend(_imports(module))
    text = "".join(f"{name} {_syntax_digest(name)}\n" for name in sorted(modules))
    return hashlib.sha256(text.encode()).hexdigest()


def _file(module: str) -> Path | None:
    path = _ROOT.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@functools.cache
def _syntax(module: str) -> ast.Module:
    path = _file(module)
    if path is None:
        raise ModuleNotFoundError(f"no library module {module}")
    return _Computing().visit(ast.parse(path.read_text()))


class _Computing(ast.NodeTransformer):
    """Keep what computes: drop docstrings, and statements that can only raise."""

    def generic_visit(self, node: ast.AST) -> ast.AST | None:
        """Visit the parts of a node, then keep it or drop it."""
        documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if documented and ast.get_docstring(node):
            node.body = node.body[1:]
        super().generic_visit(node)
        if isinstance(node, (ast.If, ast.For)) and not node.orelse:
            return None if all(isinstance(n, ast.Raise) for n in node.body) else node
        return node


@functools.cache
def _syntax_digest(module: str) -> str:
    return hashlib.sha256(ast.dump(_syntax(module)).encode()).hexdigest()


def _imports(module: str) -> list[str]:
    """List the library modules a module names in its imports."""
    names: list[str] = []
    for node in ast.walk(_syntax(module)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    own = [name for name in names if name.startswith("structnets.")]
    # Packages only re-export; the modules that define things are named besides.
    return [
        name
        for name in own
        if (path := _file(name)) and path.name != "__init__.py" and name not in _PLUMBING
    ]


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
    """
    if device.type == "cuda":
        import torch

        name, kind = torch.cuda.get_device_name(device), "gpu"
    else:
        name, kind = _processor(), "cpu"
    return {
        "class": kind,
        "name": name,
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
