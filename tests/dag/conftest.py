"""Snakemake on a clean copy of the workflow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.made_results import REPOSITORY

Snakemake = Callable[..., subprocess.CompletedProcess[str]]
PARTS = ("Snakefile", "workflow", "profiles", "slurm", "environment.yml")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Copy what a fresh clone holds of the workflow, links as links."""
    for part in PARTS:
        source, target = REPOSITORY / part, tmp_path / part
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy(source, target)
    return tmp_path


@pytest.fixture
def snakemake(clone: Path) -> Snakemake:
    """Return a runner of snakemake in the copy; it fails the test unless `code` comes back."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    # The stages of this checkout, wherever the package was installed from.
    environment["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)])

    def run(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *words],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def jobs(snakemake: Snakemake) -> Callable[..., Counter[str]]:
    """Return a dry-run that counts jobs by rule; none are counted when nothing is to be done."""

    def count(*words: str) -> Counter[str]:
        done = snakemake("-n", "--quiet", "rules", *words)
        table = (done.stdout + done.stderr).partition("Job stats:")[2].partition("total")[0]
        return Counter({name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", table, re.M)})

    return count
