"""Fixtures that several rooms of the tests share."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


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
