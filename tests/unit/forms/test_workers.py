"""Two processes of a gloo group compute what one does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from structnets.files import read_json, write_json
from structnets.forms.splits.stored import write_prepared
from structnets.forms.workers import Workers
from structnets.specs.spec import validate

Found = Callable[..., dict[str, Any]]
SCRIPT = Path(__file__).with_name("worker_of_two.py")
VALIDATION = {"split": "validation", "every": 1, "validation_fraction": 0.3}
# Batches of five give shares of three and two; the last one of sixteen images, one and none.
RECIPES: dict[str, dict[str, Any]] = {
    "even": {"batch_size": 4},
    "uneven": {"batch_size": 5, "drop_last": False},
    "moved": {"batch_size": 5, "augmentation": {"shift": 3, "flip": True}},
    "clipped": {"batch_size": 5, "clip_norm": 0.1},
    "stopped": {"batch_size": 4, "epochs": 3, "evaluation": VALIDATION},
}


def resolved(recipe: dict[str, Any]) -> dict[str, Any]:
    content = {
        "chapter": 3,
        "preset": "smoke",
        "seed": 0,
        "model": {"name": "rfnn_mnist"},
        "data": {"name": "mnist", "train_size": 16},
        "recipe": {"optimizer": {"name": "sgd", "lr": 0.01}, "epochs": 2, **recipe},
    }
    return validate(content)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Train alone and in a group of two; return a reader of what each process found."""
    folder = tmp_path_factory.mktemp("group")
    rng = np.random.default_rng(0)
    arrays = {}
    for split, count in (("train", 16), ("test", 7)):
        arrays[f"{split}_images"] = rng.integers(0, 256, (count, 1, 23, 23), dtype=np.uint8)
        arrays[f"{split}_labels"] = np.arange(count, dtype=np.int64) % 3
    write_prepared(folder / "prepared", "mnist", {}, arrays, ["a", "b", "c"], {})
    write_json(folder / "specs.json", {name: resolved(recipe) for name, recipe in RECIPES.items()})
    group = [subprocess.Popen([sys.executable, SCRIPT, str(rank), str(folder)]) for rank in (0, 1)]
    try:
        assert [process.wait(200) for process in group] == [0, 0]
    finally:
        for process in group:
            process.kill()
            process.wait()
    return lambda name, mode, rank=0: read_json(folder / f"{name}-{mode}-rank{rank}.json")


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_two_workers_compute_the_losses_of_one(name: str, found: Found) -> None:
    alone = found(name, "alone")["whole"]
    for rank in (0, 1):
        shared = found(name, "shared", rank)["whole"]
        for one, two in zip(alone["curve"], shared["curve"], strict=True):
            assert two == pytest.approx(one, rel=1e-5)
        assert shared["norm"] == pytest.approx(alone["norm"], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_shared_evaluation_equals_one_worker_s(name: str, found: Found) -> None:
    alone = found(name, "alone")["whole"]["test"]
    for rank in (0, 1):
        shared = found(name, "shared", rank)["whole"]["test"]
        assert shared["details"] == alone["details"]
        assert shared["metrics"]["accuracy"] == alone["metrics"]["accuracy"]
        assert shared["metrics"]["loss"] == pytest.approx(alone["metrics"]["loss"], rel=1e-5)


@pytest.mark.slow
def test_one_worker_s_wish_stops_all_and_all_resume(found: Found) -> None:
    alone = found("stopped", "alone")["whole"]
    for rank in (0, 1):
        parts = found("stopped", "shared", rank)
        assert parts["first"] == {"stopped": "stopped on request at step 4 of 6"}
        assert parts["second"]["norm"] == pytest.approx(alone["norm"], rel=1e-5)
        for one, two in zip(alone["curve"], parts["second"]["curve"], strict=True):
            assert two == pytest.approx(one, rel=1e-5)


@pytest.mark.slow
def test_rank_zero_alone_reports(found: Found) -> None:
    assert [found("even", "shared", rank)["whole"]["told"] for rank in (0, 1)] == [2, 0]


@pytest.mark.slow
def test_fewer_images_than_workers_are_refused_by_all(found: Found) -> None:
    assert found("even", "alone")["whole"]["one image"].startswith("accuracy")
    for rank in (0, 1):
        message = found("even", "shared", rank)["whole"]["one image"]
        assert message == "1 images to evaluate on are too few for 2 workers"


def test_one_process_needs_no_group() -> None:
    workers, values = Workers.current(), torch.tensor([1.0, 2.0])
    assert workers == Workers(0, 1)
    assert workers.sum(values) is values
    assert not workers.any(False, torch.device("cpu"))
    assert workers.any(True, torch.device("cpu"))
    workers.barrier()
