"""Made boundary maps and folders of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

SHAPE = (30, 40)


@dataclass(frozen=True)
class Folders:
    """Predictions and ground truth of three images, and a place for results."""

    predictions: Path
    truth: Path
    out: Path


def save_truth(path: Path, truths: list[np.ndarray]) -> None:
    """Write a file of the form of BSDS."""
    cell = np.empty((1, len(truths)), dtype=object)
    for number, truth in enumerate(truths):
        cell[0, number] = {"Segmentation": np.zeros(truth.shape, np.uint16), "Boundaries": truth}
    savemat(path, {"groundTruth": cell})


def line(row: int) -> np.ndarray:
    """Return a map with one horizontal line, 30 pixels long."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[row, 5:35] = 1
    return mask


@pytest.fixture
def write_truth() -> Callable[[Path, list[np.ndarray]], None]:
    """Return the writer of ground truth."""
    return save_truth


@pytest.fixture
def random_maps() -> Callable[..., list[np.ndarray]]:
    """Return a maker of random maps, (12, 14) bool."""

    def make(seed: int, *densities: float) -> list[np.ndarray]:
        rng = np.random.default_rng(seed)
        return [rng.random((12, 14)) < density for density in densities]

    return make


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return folders of images a, b, c, predicted as PNG, NPY and MAT; two annotators each."""
    found = Folders(tmp_path / "predictions", tmp_path / "truth", tmp_path / "out")
    found.predictions.mkdir()
    found.truth.mkdir()
    for number, name in enumerate("abc"):
        save_truth(found.truth / f"{name}.mat", [line(10), line(10 + 5 * number)])
    Image.fromarray(204 * line(10)).save(found.predictions / "a.png")
    np.save(found.predictions / "b.npy", 0.5 * line(10) + 0.25 * line(20))
    savemat(found.predictions / "c.mat", {"strength": 0.5 * line(10)})
    return found
