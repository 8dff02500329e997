"""Made data, tiny specs and a shared Ray cluster, for tests of the stages that train."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.cluster import launch
from pipelines.tracking import store
from structnets.forms.splits.stored import write_prepared
from structnets.specs.spec import validate

CLASSES = 3
SIDE = 9


@dataclass(frozen=True)
class Folders:
    """The roots of one test."""

    prepared: Path
    results: Path
    scratch: Path

    def options(self) -> list[str]:
        """Return them as a stage's options."""
        names = ("prepared", "results", "scratch")
        return [word for name in names for word in (f"--{name}", str(getattr(self, name)))]


@pytest.fixture(autouse=True)
def same_environment() -> Iterator[None]:
    """Undo what a stage called in this process sets."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def made_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prepared root: striped, crossed and chequered images under the name of MNIST."""
    root = tmp_path_factory.mktemp("prepared")
    rng = np.random.default_rng(0)
    odd = np.arange(SIDE) % 2
    rows, columns = np.meshgrid(odd, odd, indexing="ij")
    patterns = np.stack([rows, columns, rows ^ columns])
    arrays = {}
    for split, count in (("train", 40), ("test", 15)):
        labels = np.arange(count, dtype=np.int64) % CLASSES
        images = rng.integers(0, 100, (count, 1, SIDE, SIDE)) + 155 * patterns[labels, None]
        arrays |= {f"{split}_images": images.astype(np.uint8), f"{split}_labels": labels}
    write_prepared(root / "mnist", "mnist", {}, arrays, ["rows", "columns", "both"], {})
    return root


@pytest.fixture(scope="session")
def empty_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an MLflow store with its schema, which takes seconds to make."""
    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    store.create_schema(f"sqlite:///{file}")
    return file


@pytest.fixture
def folders(
    tmp_path: Path, made_data: Path, empty_mlflow: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Folders]:
    """Return roots of this test, with an MLflow store, and no Ray to join."""
    for name in ("MLFLOW_TRACKING_URI", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    results = tmp_path / "results"
    results.mkdir()
    shutil.copy(empty_mlflow, results / "mlflow.db")
    # What a killed cluster leaves goes too; names of sockets in it must stay short.
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp", ignore_cleanup_errors=True) as temp:
        monkeypatch.setenv("STRUCTNETS_TMP", temp)
        yield Folders(made_data, results, tmp_path / "scratch")


@pytest.fixture(scope="session")
def warm_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the cluster that these tests share; return its marker."""
    scratch = tmp_path_factory.mktemp("warm")
    command = [sys.executable, "-m", "pipelines.cluster.launch", "warm", "--scratch", str(scratch)]
    process = subprocess.Popen([*command, "--parent", str(os.getpid()), "--cpus", "2"])
    try:
        while launch.warm_cluster(scratch) is None:
            assert process.poll() is None
        yield scratch / "ray" / "warm.json"
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def warm(folders: Folders, warm_cluster: Path) -> Folders:
    """Return roots of this test, of which scratch has the warm cluster."""
    (folders.scratch / "ray").mkdir(parents=True, exist_ok=True)
    shutil.copy(warm_cluster, folders.scratch / "ray" / "warm.json")
    return folders


@pytest.fixture
def make_spec() -> Callable[..., dict[str, Any]]:
    """Return a maker of resolved specs: CNN-B of tiny kernels, four batches an epoch."""

    def make(seed: int = 0, **recipe: Any) -> dict[str, Any]:
        content = {
            "chapter": 3,
            "preset": "smoke",
            "seed": seed,
            "model": {"name": "cnn_b", "options": {"kernel_sizes": [3, 3, 3]}},
            "data": {"name": "mnist", "train_size": 20},
            "recipe": {
                "optimizer": {"name": "adam", "lr": 0.01},
                "schedule": {"name": "linear"},
                "epochs": 3,
                "batch_size": 5,
                **recipe,
            },
        }
        return validate(content)

    return make


@pytest.fixture
def logged() -> Callable[[Folders, str], list[Any]]:
    """Return a reader of the MLflow runs in an experiment of a test's store."""

    def read(folders: Folders, experiment: str = "chapter3") -> list[Any]:
        client = store.connect(store.resolve_uri(None, folders.results))
        return list(store.all_runs(client, [experiment]))

    return read


@pytest.fixture
def history() -> Callable[[Folders, str, str], list[tuple[int, float]]]:
    """Return a reader of the (step, value) pairs that an MLflow run has of a metric."""

    def read(folders: Folders, mlflow_run_id: str, name: str) -> list[tuple[int, float]]:
        client = store.connect(store.resolve_uri(None, folders.results))
        found = client.get_metric_history(mlflow_run_id, name)
        return sorted((metric.step, metric.value) for metric in found)

    return read
