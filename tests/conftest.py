"""Fixtures that several rooms of the tests share."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from structnets.data.sets.entries.catalogue import find_dataset

REPOSITORY = Path(__file__).resolve().parents[1]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keep bytes out of the names of tests.

    An archive made while the tests are collected holds the second it was made in, and processes
    that run the tests side by side have to agree on every name.
    """
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def data_root() -> Path:
    """Folder of the original data sets; tests that need it skip where it is absent."""
    root = Path(os.environ.get("DATA_ROOT", REPOSITORY.parent / "shared" / "data")).resolve()
    if not root.is_dir():
        pytest.skip(f"original data absent: {root} is no folder (set DATA_ROOT)")
    return root


@pytest.fixture
def make_idx() -> Callable[..., Path]:
    """Return a writer of idx files of bytes; `header` and `tail` make them lie."""

    def make(path: Path, values: np.ndarray, header: bytes = b"", tail: bytes = b"") -> Path:
        honest = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
        content = (header or honest) + values.astype(np.uint8).tobytes() + tail
        path.parent.mkdir(parents=True, exist_ok=True)
        # A fixed time makes the same values the same bytes.
        path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        return path

    return make


@pytest.fixture
def made_mnist(tmp_path: Path, make_idx: Callable[..., Path]) -> Path:
    """Return a data root whose ``mnist`` folder holds 20 + 10 made images of the right form."""
    root = tmp_path / "originals"
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 20), ("t10k", 10)):
        images = rng.integers(0, 256, (count, 28, 28))
        make_idx(root / "mnist" / f"{prefix}-images-idx3-ubyte.gz", images)
        make_idx(root / "mnist" / f"{prefix}-labels-idx1-ubyte.gz", np.arange(count) % 10)
    return root


@pytest.fixture
def made_cifar(tmp_path: Path) -> Path:
    """Return a data root with partial copies of CIFAR-10 and CIFAR-100 in their original form."""
    root = tmp_path / "originals"
    forms = (
        ("cifar10", "cifar-10-batches-py", ("data_batch_2", "test_batch"), "", "batches.meta"),
        ("cifar100", "cifar-100-python", ("train", "test"), "fine_", "meta"),
    )
    rng = np.random.default_rng(0)
    for name, folder, batches, prefix, meta in forms:
        (root / name / folder).mkdir(parents=True)
        classes = find_dataset(name).classes
        content = {f"{prefix}label_names": list(classes)}
        (root / name / folder / meta).write_bytes(pickle.dumps(content, protocol=2))
        for file, count in zip(batches, (12, 6), strict=True):
            data = rng.integers(0, 256, (count, 3072), dtype=np.uint8)
            labels = [number % len(classes) for number in range(count)]
            batch = {b"data": data, f"{prefix}labels".encode(): labels}
            (root / name / folder / file).write_bytes(pickle.dumps(batch, protocol=2))
    return root
