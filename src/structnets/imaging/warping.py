"""Bringing volumes to the MNI152 grid, and the template's brain to the subject."""

from __future__ import annotations

from typing import Any

import numpy as np

from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE
from structnets.imaging.itk import one_thread, to_array, to_image, to_transform
from structnets.imaging.template import load_template
from structnets.imaging.volumes import Volume


@one_thread()
def to_mni(volume: Volume, matrix: np.ndarray) -> np.ndarray:
    """Bring a volume to the MNI152 2 mm grid.

    It is read at 1 mm, linearly, and averaged over cubes of 2 mm: scans are finer than the
    grid, and reading them at its points alone would alias.

    Parameters
    ----------
    volume : Volume
        Native space.
    matrix : numpy.ndarray
        (4, 4), from points of MNI152 to points of the subject, RAS mm.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) float32; 0 where the volume does not reach.
    """
    affine = MNI_AFFINE.copy()
    affine[:3, :3] /= 2
    affine[:3, 3] -= 0.5
    shape = tuple(2 * size for size in MNI_SHAPE)
    image = _resample(to_image(volume), shape, affine, to_transform(matrix))
    x, y, z = MNI_SHAPE
    return to_array(image).reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))


@one_thread()
def strip_skull(volume: Volume, matrix: np.ndarray, margin_mm: float) -> Volume:
    """Blank what lies outside the template's brain, brought to the subject.

    Parameters
    ----------
    volume : Volume
        Native space.
    matrix : numpy.ndarray
        (4, 4), from points of MNI152 to points of the subject, RAS mm.
    margin_mm : float
        How much the brain is widened, since an affine brain is not the subject's.

    Returns
    -------
    Volume
        Same grid, 0 outside.
    """
    from scipy.ndimage import distance_transform_edt

    outside: Any = distance_transform_edt(~load_template().mask, sampling=2.0)
    near = Volume((outside <= margin_mm).astype(np.float32), MNI_AFFINE)
    inverse = to_transform(np.linalg.inv(matrix))
    image = _resample(to_image(near), volume.data.shape, volume.affine, inverse)
    return Volume(np.where(to_array(image) > 0.5, volume.data, np.float32(0)), volume.affine)


def _resample(image: Any, shape: tuple[int, ...], affine: np.ndarray, transform: Any) -> Any:
    import SimpleITK

    empty = to_image(Volume(np.zeros((1, 1, 1), np.float32), affine))
    resample = SimpleITK.ResampleImageFilter()
    resample.SetInterpolator(SimpleITK.sitkLinear)
    resample.SetSize(shape)
    resample.SetOutputOrigin(empty.GetOrigin())
    resample.SetOutputSpacing(empty.GetSpacing())
    resample.SetOutputDirection(empty.GetDirection())
    resample.SetTransform(transform)
    return resample.Execute(image)
