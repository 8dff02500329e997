"""The MNI152 grid at 2 mm that every volume is brought to, and coarser grids of it."""

from __future__ import annotations

import numpy as np

MNI_SHAPE = (91, 109, 91)
SPACING_MM = 2
# The field of view of FSL's MNI152 at 2 mm, axes towards right, anterior, superior.
MNI_AFFINE = np.array(
    [[2.0, 0, 0, -90], [0, 2.0, 0, -126], [0, 0, 2.0, -72], [0, 0, 0, 1]], dtype=np.float64
)
MNI_AFFINE.flags.writeable = False


def grid_shape(grid_mm: int) -> tuple[int, int, int]:
    """Return the shape of the grid of `grid_mm`, a multiple of 2 mm; the last cells overhang.

    Raises
    ------
    ValueError
        If `grid_mm` is not a positive multiple of 2.
    """
    factor = _factor(grid_mm)
    x, y, z = (-(-size // factor) for size in MNI_SHAPE)
    return x, y, z


def grid_affine(grid_mm: int) -> np.ndarray:
    """Return the affine (4, 4) of the grid of `grid_mm`: from indices to the middles of cells, mm.

    Examples
    --------
    >>> grid_affine(4)[:3, 3]
    array([ -89., -125.,  -71.])
    """
    factor = _factor(grid_mm)
    affine = MNI_AFFINE @ np.diag([factor, factor, factor, 1.0])
    affine[:3, 3] += MNI_AFFINE[:3, :3] @ np.full(3, (factor - 1) / 2)
    return affine


def coarsen(volume: np.ndarray, grid_mm: int) -> np.ndarray:
    """Average a volume over cubes of `grid_mm`.

    Parameters
    ----------
    volume : numpy.ndarray
        (..., 91, 109, 91), any numeric type, on the 2 mm grid.
    grid_mm : int
        Edge of the cubes, a multiple of 2 mm.

    Returns
    -------
    numpy.ndarray
        (..., X, Y, Z) of `grid_shape`, float32; where a cube overhangs the grid, background (0)
        is taken for what is missing. The input itself, as float32, for 2 mm.
    """
    factor = _factor(grid_mm)
    if volume.shape[-3:] != MNI_SHAPE:
        raise ValueError(f"volume must be (..., 91, 109, 91), got {volume.shape}")
    shape = grid_shape(grid_mm)
    overhang = [(0, factor * new - old) for new, old in zip(shape, MNI_SHAPE, strict=True)]
    rest = volume.shape[:-3]
    padded = np.pad(volume, [(0, 0)] * len(rest) + overhang)
    x, y, z = shape
    cubes = padded.reshape(*rest, x, factor, y, factor, z, factor)
    return cubes.mean(axis=(-5, -3, -1), dtype=np.float32)


def _factor(grid_mm: int) -> int:
    if isinstance(grid_mm, bool) or not isinstance(grid_mm, int) or grid_mm < 2 or grid_mm % 2:
        raise ValueError(f"grid_mm must be a positive multiple of 2, got {grid_mm!r}")
    return grid_mm // SPACING_MM
