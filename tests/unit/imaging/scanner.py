"""A simulated scanner: brains of the template, placed and shaded as scans are."""

import numpy as np
from scipy.ndimage import affine_transform

from structnets.imaging.grid import MNI_AFFINE
from structnets.imaging.volumes import Volume


def to_scan(brain: np.ndarray, matrix: np.ndarray, voxel_mm: float = 1.6) -> Volume:
    """Put a brain from MNI152 into a scanner, where `matrix` takes it.

    Parameters
    ----------
    brain : numpy.ndarray
        (91, 109, 91) on the MNI152 2 mm grid.
    matrix : numpy.ndarray
        (4, 4), from points of MNI152 to points of the scan, RAS mm.
    voxel_mm : float
        Edge of the scan's voxels; its field of view is 220 mm.

    Returns
    -------
    Volume
        Native space, background 0, with a bias field of +-20 % across.
    """
    size = round(220 / voxel_mm)
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = -110 + matrix[:3, 3] + matrix[:3, :3] @ [0, -18, 8]
    back = np.linalg.inv(MNI_AFFINE) @ np.linalg.inv(matrix) @ affine
    scan = affine_transform(brain, back, output_shape=(size,) * 3, order=1)
    bias = np.linspace(0.8, 1.2, size, dtype=np.float32)
    return Volume((scan * bias[:, None, None] * 800).astype(np.float32), affine)
