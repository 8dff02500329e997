"""Registration by FSL's ``flirt`` (Jenkinson & Smith 2001), the thesis' tool (section 3.4.4)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.registration import Registration
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume

_TIMEOUT_S = 1800
_LONGEST_MATRIX = 4096


def register_with_flirt(volume: Volume) -> Registration:
    """Register a volume to the template with twelve parameters and mutual information.

    Parameters
    ----------
    volume : Volume
        A T1-weighted head or brain in native space.

    Returns
    -------
    Registration
        Without mutual information, which flirt does not print.

    Raises
    ------
    FileNotFoundError
        If ``flirt`` is not on the PATH.
    RuntimeError
        If it fails; the message holds what it printed.
    """
    program = shutil.which("flirt")
    if program is None:
        raise FileNotFoundError(
            "flirt is not on the PATH; install FSL, or set registration to 'simpleitk'"
        )
    template = Volume(load_template().data, MNI_AFFINE)
    with tempfile.TemporaryDirectory(prefix="flirt") as folder:
        moving, fixed, found = (
            Path(folder) / name for name in ("subject.nii.gz", "template.nii.gz", "found.mat")
        )
        _save(volume, moving)
        _save(template, fixed)
        _run([program, *_options(moving, fixed, found)])
        if not found.is_file():
            raise RuntimeError(f"{program} ended well but wrote no matrix")
        flirt_matrix = _read_matrix(found)
    return Registration(from_flirt(flirt_matrix, volume, template), None, "flirt", {})


def _options(moving: Path, fixed: Path, found: Path) -> list[str]:
    options = {
        "-in": moving,
        "-ref": fixed,
        "-omat": found,
        "-dof": 12,
        "-cost": "mutualinfo",
        "-searchcost": "mutualinfo",
    }
    return [str(word) for option in options.items() for word in option]


def _read_matrix(path: Path) -> np.ndarray:
    with path.open(errors="replace") as file:
        text = file.read(_LONGEST_MATRIX)
    try:
        matrix = np.array(text.split(), dtype=np.float64).reshape(4, 4)
    except ValueError as error:
        raise RuntimeError(
            f"flirt wrote no 4 x 4 matrix but {text[:60]!r} into {path}; run it again"
        ) from error
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
        raise RuntimeError(
            f"flirt wrote a matrix that cannot be inverted, {matrix.tolist()}, into {path}; "
            "run it again"
        )
    return matrix


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimeError(f"{command[0]} did not end within {_TIMEOUT_S} s") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise RuntimeError(f"{command[0]} ended with code {done.returncode}: {said}")


def from_flirt(matrix: np.ndarray, moving: Volume, fixed: Volume) -> np.ndarray:
    """Turn flirt's matrix into one between RAS millimetres.

    Parameters
    ----------
    matrix : numpy.ndarray
        (4, 4), from the moving to the fixed image in FSL's coordinates: voxel index times voxel
        size, the first axis counted from the other end in images whose affine has a positive
        determinant.
    moving, fixed : Volume
        The two images.

    Returns
    -------
    numpy.ndarray
        (4, 4), from points of the fixed to points of the moving image, RAS mm.
    """
    moving_world = moving.affine @ np.linalg.inv(_fsl_coordinates(moving))
    fixed_world = fixed.affine @ np.linalg.inv(_fsl_coordinates(fixed))
    return moving_world @ np.linalg.inv(matrix) @ np.linalg.inv(fixed_world)


def _fsl_coordinates(volume: Volume) -> np.ndarray:
    scale = np.diag([*volume.zooms, 1.0])
    if np.linalg.det(volume.affine[:3, :3]) < 0:
        return scale
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = (volume.data.shape[0] - 1) * volume.zooms[0]
    return flip @ scale


def _save(volume: Volume, path: Path) -> None:
    import nibabel

    image: Any = nibabel.Nifti1Image(np.asarray(volume.data, dtype=np.float32), volume.affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
