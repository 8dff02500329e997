"""The MNI152 grid at 2 mm that every volume is brought to, coarser grids of it, and their boxes."""

from __future__ import annotations

from typing import Literal

import numpy as np

MNI_SHAPE = (91, 109, 91)
SPACING_MM = 2
# The field of view of FSL's MNI152 at 2 mm, axes towards right, anterior, superior.
MNI_AFFINE = np.array(
    [[2.0, 0, 0, -90], [0, 2.0, 0, -126], [0, 0, 2.0, -72], [0, 0, 0, 1]], dtype=np.float64
)
MNI_AFFINE.flags.writeable = False
# First and last voxel of the template's brain mask along each axis.
BRAIN_BOX = ((9, 81), (10, 99), (0, 77))

FieldOfView = Literal["whole", "brain"]
"""All of the grid, or the box around the template's brain: 56 % of it."""


def grid_shape(grid_mm: int, field_of_view: FieldOfView = "whole") -> tuple[int, int, int]:
    """Return the shape of the grid of `grid_mm`, a multiple of 2 mm; the last cells overhang.

    Raises
    ------
    ValueError
        If `grid_mm` is not a positive multiple of 2.
    """
    x, y, z = (cells.stop - cells.start for cells in _cells(_factor(grid_mm), field_of_view))
    return x, y, z


def grid_affine(grid_mm: int, field_of_view: FieldOfView = "whole") -> np.ndarray:
    """Return the affine (4, 4) of the grid of `grid_mm`: from indices to the middles of cells, mm.

    Examples
    --------
    >>> grid_affine(4)[:3, 3]
    array([ -89., -125.,  -71.])
    """
    factor = _factor(grid_mm)
    affine = MNI_AFFINE @ np.diag([factor, factor, factor, 1.0])
    first = np.array([cells.start for cells in _cells(factor, field_of_view)])
    affine[:3, 3] += MNI_AFFINE[:3, :3] @ (factor * first + (factor - 1) / 2)
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


def on_grid(volumes: np.ndarray, grid_mm: int, field_of_view: FieldOfView = "whole") -> np.ndarray:
    """Bring volumes (..., 91, 109, 91) uint8 to the grid that nets see, rounded to uint8."""
    coarse = (
        np.rint(coarsen(volumes, grid_mm)).astype(np.uint8) if grid_mm > SPACING_MM else volumes
    )
    return coarse[(..., *_cells(_factor(grid_mm), field_of_view))]


def _cells(factor: int, field_of_view: FieldOfView) -> tuple[slice, slice, slice]:
    """Return which cells of a whole grid a field of view has."""
    if field_of_view == "whole":
        x, y, z = (slice(0, -(-size // factor)) for size in MNI_SHAPE)
    else:
        x, y, z = (slice(first // factor, last // factor + 1) for first, last in BRAIN_BOX)
    return x, y, z


def _factor(grid_mm: int) -> int:
    if isinstance(grid_mm, bool) or not isinstance(grid_mm, int) or grid_mm < 2 or grid_mm % 2:
        raise ValueError(f"grid_mm must be a positive multiple of 2, got {grid_mm!r}")
    return grid_mm // SPACING_MM
