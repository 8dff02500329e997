"""Fixtures that tests of data readers share."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from structnets.data.sets.cifar_jpeg import read_image_table


@pytest.fixture(scope="session")
def real_jpegs(data_root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of the JPEG-compressed test set of CIFAR-10, read once."""
    return read_image_table(data_root / "cifar10_jpeg" / "test.parquet")


@pytest.fixture
def make_tar(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of uncompressed tars; an entry is content, or a changed `TarInfo`."""

    def make(name: str, entries: dict[str, bytes | dict[str, Any]]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(path, "w") as archive:
            for key, entry in entries.items():
                member = tarfile.TarInfo(key)
                if isinstance(entry, dict):
                    for attribute, value in entry.items():
                        setattr(member, attribute, value)
                    archive.addfile(member)
                else:
                    member.size = len(entry)
                    archive.addfile(member, io.BytesIO(entry))
        return path

    return make
