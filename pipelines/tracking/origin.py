"""Whose a run is, which program made it and from which commit (standard library only)."""

from __future__ import annotations

import functools
import getpass
import os
import sys
from pathlib import Path

from structnets.training.provenance import git_state

_CHECKOUT = Path(__file__).parents[2]


@functools.cache
def tags() -> dict[str, str]:
    """Return the tags that MLflow shows as user, source and version of a run."""
    state = git_state()
    found = {
        "mlflow.user": _user(),
        "mlflow.source.name": _program(),
        "mlflow.source.type": "JOB" if "SLURM_JOB_ID" in os.environ else "LOCAL",
        "mlflow.source.git.commit": state["sha"],
        "mlflow.source.git.dirty": None if state["dirty"] is None else str(state["dirty"]).lower(),
    }
    return {key: value for key, value in found.items() if value}


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user id without a name, as in some containers
        return f"uid {os.getuid()}"


def _program() -> str:
    """Return the program of this process, relative to the checkout where it lies in it."""
    program = Path(sys.argv[0] or "python").absolute()
    if program.is_relative_to(_CHECKOUT):
        return program.relative_to(_CHECKOUT).as_posix()
    return program.name
