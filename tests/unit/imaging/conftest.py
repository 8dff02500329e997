"""Volumes, files and placements that the tests of the imaging room share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from structnets.imaging.simulated import simulate_brain
from structnets.imaging.volumes import Volume
from tests.unit.imaging.scanner import to_scan


@pytest.fixture
def save_volume(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of NIfTI files whose header says mm and scanner coordinates."""

    def save(data: np.ndarray, affine: np.ndarray, name: str = "scan.nii.gz", code: int = 1):
        image = nibabel.Nifti1Image(data, None)
        image.header.set_xyzt_units("mm")
        # Written row by row, since nibabel refuses to make the singular affines tests need.
        image.header["sform_code"], image.header["qform_code"] = code, 0
        for row, name_of_row in zip(affine, ("srow_x", "srow_y", "srow_z"), strict=False):
            image.header[name_of_row] = row
        nibabel.save(image, tmp_path / name)
        return tmp_path / name

    return save


@pytest.fixture
def ramp() -> np.ndarray:
    """Return a (20, 24, 22) float32 volume in which every voxel differs."""
    return np.arange(20 * 24 * 22, dtype=np.float32).reshape(20, 24, 22)


@pytest.fixture
def oblique() -> np.ndarray:
    """Return an affine of 5 mm voxels whose axes point left, superior, posterior."""
    return np.array([[-5.0, 0.3, 0, 40], [0, 0, -5, 60], [0.3, 5, 0, -50], [0, 0, 0, 1]])


@pytest.fixture(scope="session")
def placement() -> np.ndarray:
    """Return a matrix that nods by 12 degrees, shrinks unevenly and shifts."""
    angle = np.deg2rad(12)
    nod = np.eye(4)
    nod[1:3, 1:3] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    matrix = nod @ np.diag([0.92, 0.97, 0.88, 1.0])
    matrix[:3, 3] = [6, -9, 14]
    return matrix


@pytest.fixture(scope="session")
def scan(placement: np.ndarray) -> Volume:
    """Return a simulated scan that `placement` put into the scanner."""
    return to_scan(simulate_brain(3, patient=False), placement, voxel_mm=2.5)
