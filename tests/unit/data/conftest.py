"""Fixtures that tests of data readers share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from structnets.data.cifar_jpeg import read_image_table


@pytest.fixture(scope="session")
def real_jpegs(data_root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images and labels of the JPEG-compressed test set of CIFAR-10, read once."""
    return read_image_table(data_root / "cifar10_jpeg" / "test.parquet")
