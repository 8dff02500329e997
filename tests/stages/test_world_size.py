"""A run goes on with another number of workers: same order, steps, rate and global batch."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from structnets.files import read_json, write_json
from tests.made_results import REPOSITORY

pytestmark = pytest.mark.slow
EPOCHS, STEPS = 6, 4


@pytest.fixture
def train(
    tmp_path: Path, made_data: Path, make_spec: Callable[..., dict[str, Any]]
) -> Callable[..., dict[str, Any]]:
    """Return a trainer by so many workers, without dropout, which is drawn for each worker."""
    write_json(tmp_path / "spec.json", make_spec(epochs=EPOCHS))

    def run(name: str, workers: int) -> dict[str, Any]:
        group = ("torch.distributed.run", "--standalone", f"--nproc-per-node={workers}", "-m")
        paths = ("--data", str(made_data / "mnist"), "--out", str(tmp_path / name))
        command = [sys.executable, "-m", *(group if workers > 1 else ()), "tests.steady_train"]
        subprocess.run(
            [*command, "train", str(tmp_path / "spec.json"), *paths],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            cwd=REPOSITORY,
            check=True,
        )
        return read_json(tmp_path / name / "result.json")

    return run


def curve(folder: Path) -> list[dict[str, float]]:
    with (folder / "curves.csv").open(newline="") as file:
        rows = [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]
    return [{k: float(v) for k, v in row.items() if k != "images_per_s"} for row in rows]


@pytest.mark.parametrize(("before", "after"), [(2, 1), (1, 2)])
def test_run_goes_on_with_another_number_of_workers(
    train: Callable[..., dict[str, Any]], tmp_path: Path, before: int, after: int
) -> None:
    whole = train("whole", before)
    # In the middle of the third epoch.
    half = f"step-{2 * STEPS + 2:09d}.pt"
    parts = tmp_path / "parts" / "work" / "checkpoints"
    parts.mkdir(parents=True)
    shutil.copy(tmp_path / "whole" / "work" / "checkpoints" / half, parts)
    changed = train("parts", after)
    sizes = [result["hardware"]["world_size"] for result in (whole, changed)]
    assert sizes == [before, after]
    expected, found = curve(tmp_path / "whole"), curve(tmp_path / "parts")
    assert len(found) == EPOCHS
    for ours, theirs in zip(found, expected, strict=True):
        assert {k: ours[k] for k in ("epoch", "step", "lr")} == {
            k: theirs[k] for k in ("epoch", "step", "lr")
        }
        assert ours["train_loss"] == pytest.approx(theirs["train_loss"], rel=1e-4)
    assert changed["metrics"]["loss"] == pytest.approx(whole["metrics"]["loss"], rel=1e-3)
    assert changed["metrics"]["accuracy"] == pytest.approx(whole["metrics"]["accuracy"], abs=7)
