"""Made data, tiny specs, a reporter that remembers and a small table, shared by the rooms."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

from structnets.forms.splits.stored import write_prepared
from structnets.identity import run_id
from structnets.specs.spec import validate
from structnets.training.run import run_spec
from tests.unit.made_table import EXPERIMENT, TABLE

CLASSES = 3
SIDE = 9


class Recorder:
    """Reporter that keeps what it is told and asks to stop after `stop_after` steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.asked = 0
        self.rows: list[dict[str, float]] = []
        self.earlier: list[dict[str, float]] = []

    def epoch(self, row: dict[str, float], epochs: int) -> None:
        self.rows.append(row)

    def resumed(self, curve: list[dict[str, float]]) -> None:
        self.earlier = list(curve)

    def stop_requested(self) -> bool:
        self.asked += 1
        return self.asked == self.stop_after


def made_arrays(seed: int, train: int = 23, test: int = 11) -> dict[str, np.ndarray]:
    """Noisy images of horizontal stripes, vertical stripes and a chequered pattern."""
    rng = np.random.default_rng(seed)
    odd = np.arange(SIDE) % 2
    rows, columns = np.meshgrid(odd, odd, indexing="ij")
    patterns = np.stack([rows, columns, rows ^ columns])
    arrays = {}
    for split, count in (("train", train), ("test", test)):
        labels = np.arange(count, dtype=np.int64) % CLASSES
        noise = rng.integers(0, 100, (count, 1, SIDE, SIDE))
        images = (noise + 155 * patterns[labels, None]).astype(np.uint8)
        arrays |= {f"{split}_images": images, f"{split}_labels": labels}
    return arrays


@pytest.fixture
def make_reporter() -> type[Recorder]:
    return Recorder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def make_data(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of made prepared data."""

    def make(name: str = "mnist", seed: int = 0, **counts: int) -> Path:
        folder = tmp_path / "prepared" / name
        names = [str(c) for c in range(CLASSES)]
        write_prepared(folder, "mnist", {}, made_arrays(seed, **counts), names, {"made": seed})
        return folder

    return make


@pytest.fixture
def prepared(make_data: Callable[..., Path]) -> Path:
    return make_data()


@pytest.fixture
def make_spec() -> Callable[..., dict[str, Any]]:
    """Return a maker of resolved specs: CNN-B of tiny kernels, 4 batches an epoch, 3 epochs."""

    def make(seed: int = 0, size: int = 20, model: str = "cnn_b", **recipe: Any) -> dict[str, Any]:
        options = {"kernel_sizes": [3, 3, 3]} if model in ("cnn_b", "rfnn_mnist") else {}
        content = {
            "chapter": 3,
            "preset": "smoke",
            "seed": seed,
            "model": {"name": model, "options": options},
            "data": {"name": "mnist", "train_size": size},
            "recipe": {
                "optimizer": {"name": "adam", "lr": 0.01},
                "schedule": {"name": "linear"},
                "epochs": 3,
                "batch_size": 5,
            },
        }
        if recipe.get("kind") == "closed_form":
            content["recipe"] = {}
        return validate({**content, "recipe": {**content["recipe"], **recipe}})

    return make


@pytest.fixture
def run(tmp_path: Path, prepared: Path) -> Callable[..., dict[str, Any]]:
    """Return a runner of specs; runs of one `place` share their folders."""

    def begin(
        spec: dict[str, Any],
        place: str = "run",
        stop_after: int | None = None,
        data: Path = prepared,
        reporter: Recorder | None = None,
    ) -> dict[str, Any]:
        folder = tmp_path / place / run_id(spec)
        return run_spec(
            copy.deepcopy(spec),
            data,
            folder / "out",
            folder / "work",
            reporter=reporter or Recorder(stop_after),
        )

    return begin


@pytest.fixture
def folder_of(tmp_path: Path) -> Callable[..., Path]:
    """Return where `run` puts a run: ``out`` and ``work``."""
    return lambda spec, place="run": tmp_path / place / run_id(spec)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with ``targets/table0.yaml``, ``experiments/net.yaml`` and an empty ledger."""
    for path, content in {"targets/table0": TABLE, "experiments/net": EXPERIMENT}.items():
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir()
        file.write_text(yaml.safe_dump(content))
    (tmp_path / "ledger").mkdir()
    return tmp_path
