"""Snakemake on a clean copy of the workflow."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dag import forked_snakemake
from tests.made_results import REPOSITORY

Snakemake = Callable[..., str]
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
    # Runs that were measured would not be trained; tests say which those are.
    for ledger in (tmp_path / "workflow" / "ledger").glob("*.jsonl"):
        ledger.unlink()
    return tmp_path


@pytest.fixture
def environment() -> dict[str, str]:
    """Return the variables of a call in the copy."""
    return {
        **os.environ,
        # The stages of this checkout, wherever the package was installed from.
        "PYTHONPATH": os.pathsep.join([str(REPOSITORY / "src"), str(REPOSITORY)]),
        # No store is made: what is not logged waits in the spool.
        "MLFLOW_TRACKING_URI": "http://127.0.0.1:9",
    }


@pytest.fixture
def snakemake(clone: Path, environment: dict[str, str]) -> Snakemake:
    """Return a runner of snakemake in the copy; it fails the test unless `code` comes back."""

    def run(*words: str, code: int = 0) -> str:
        done = forked_snakemake.snakemake(words, clone, environment, timeout=300)
        assert done.code == code, done.text
        return done.text

    return run


@pytest.fixture
def jobs(snakemake: Snakemake) -> Callable[..., Counter[str]]:
    """Return a dry-run that counts jobs by rule; none are counted when nothing is to be done."""

    def count(*words: str) -> Counter[str]:
        table = snakemake(*words, "-n", "--quiet", "rules").partition("Job stats:")[2]
        found = re.findall(r"^(\w+) +(\d+)$", table.partition("total")[0], re.MULTILINE)
        return Counter({name: int(number) for name, number in found})

    return count
