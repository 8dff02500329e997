"""Volumes as SimpleITK images and affine matrices as its transforms, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from structnets.imaging.volumes import Volume

# ITK's world axes point left and posterior where NIfTI's point right and anterior.
_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def to_image(volume: Volume) -> Any:
    """Return a SimpleITK image of a volume."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.ascontiguousarray(volume.data.transpose(2, 1, 0)))
    affine = _FLIP @ volume.affine
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(zooms.tolist())
    image.SetDirection((affine[:3, :3] / zooms).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def to_array(image: Any) -> np.ndarray:
    """Return the (X, Y, Z) array of a SimpleITK image."""
    import SimpleITK

    return np.ascontiguousarray(SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0))


def to_transform(matrix: np.ndarray, centre: np.ndarray | None = None) -> Any:
    """Return the ITK affine transform of a (4, 4) matrix between RAS millimetres.

    Parameters
    ----------
    matrix : numpy.ndarray
        (4, 4), leads from points of the fixed to points of the moving image.
    centre : numpy.ndarray, optional
        (3,), the fixed point that linear parameters turn about, RAS mm.
    """
    import SimpleITK

    flipped = _FLIP @ matrix @ _FLIP
    transform = SimpleITK.AffineTransform(3)
    middle = np.zeros(3) if centre is None else _FLIP[:3, :3] @ centre
    transform.SetCenter(middle.tolist())
    transform.SetMatrix(flipped[:3, :3].ravel().tolist())
    offset = flipped[:3, 3] + flipped[:3, :3] @ middle - middle
    transform.SetTranslation(offset.tolist())
    return transform


def to_matrix(transform: Any) -> np.ndarray:
    """Return the (4, 4) matrix between RAS millimetres of any linear ITK transform."""
    matrix = np.eye(4)
    linear = np.array(transform.GetMatrix()).reshape(3, 3)
    centre = np.array(transform.GetCenter())
    matrix[:3, :3] = linear
    matrix[:3, 3] = np.array(transform.GetTranslation()) + centre - linear @ centre
    return _FLIP @ matrix @ _FLIP


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let SimpleITK compute on one thread: its sums depend on the number of threads."""
    import SimpleITK

    before = SimpleITK.ProcessObject.GetGlobalDefaultNumberOfThreads()
    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
