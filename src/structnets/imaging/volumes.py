"""Reading of brain volumes, with every fault of a file named before anything is computed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE
from structnets.imaging.scan_files import load_image

# A head is 150-250 mm long; fields of view leave it some room. A volume in metres or
# micrometres, or whose zooms were lost, lies far outside.
_FIELD_MM = (80.0, 500.0)
_VOXEL_MM = (0.2, 8.0)
_MILLIMETRES = ("mm", "unknown")
_TOLERANCE_MM = 1e-2


@dataclass(frozen=True)
class Volume:
    """One scalar volume.

    Attributes
    ----------
    data : numpy.ndarray
        (X, Y, Z) float32, finite, axes towards right, anterior, superior.
    affine : numpy.ndarray
        (4, 4) float64, voxel index to millimetres.
    stored_axes : str
        Directions of the voxel axes in the file that it was read from, such as ``"LAS"``.
    """

    data: np.ndarray
    affine: np.ndarray
    stored_axes: str = "RAS"

    @property
    def zooms(self) -> tuple[float, ...]:
        """Voxel size along each axis in mm."""
        return tuple(float(size) for size in np.linalg.norm(self.affine[:3, :3], axis=0))


def read_volume(path: str | os.PathLike[str], *, axes: str | None = None) -> Volume:
    """Read a volume (NIfTI, or Analyze with its axes given) and turn its axes to RAS+.

    Parameters
    ----------
    path : path
        ``.nii``, ``.nii.gz``, or the ``.img`` or ``.hdr`` of an Analyze pair.
    axes : str, optional
        Directions of the voxel axes, such as ``"ASL"``, for a file that does not state them;
        refused for one that does.

    Returns
    -------
    Volume
        Its data are finite and not constant.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or a link or pointer to one that was not fetched.
    ValueError
        Naming the file and what is wrong: it cannot be read, is truncated, does not have the
        checksum that it states, is larger than `structnets.foreign.limits.SCAN`, has
        more than three dimensions, no orientation, a singular affine, implausible units, or
        values that are not finite or all equal.
    """
    path = Path(path)
    image = load_image(path)
    shape = tuple(image.shape)
    if len(shape) < 3 or any(size != 1 for size in shape[3:]):
        raise ValueError(f"{path} has shape {shape}; expected one 3-D volume: extract it first")
    affine = _checked_affine(path, image, axes)
    _check_units(path, image, affine)
    data = _load(path, image).reshape(shape[:3])
    _check_values(path, data)
    return to_ras(data, affine)


def to_ras(data: np.ndarray, affine: np.ndarray) -> Volume:
    """Flip and permute voxel axes so that they point right, anterior, superior.

    Parameters
    ----------
    data : numpy.ndarray
        (X, Y, Z), any orientation.
    affine : numpy.ndarray
        (4, 4), voxel index to mm.

    Returns
    -------
    Volume
        The same values at the same places; nothing is interpolated.
    """
    from nibabel import orientations

    turn = orientations.io_orientation(affine)
    turned = orientations.apply_orientation(data, turn)
    moved = affine @ orientations.inv_ornt_aff(turn, data.shape)
    stored = "".join(map(str, orientations.ornt2axcodes(turn)))
    return Volume(np.ascontiguousarray(turned, dtype=np.float32), moved, stored)


def is_registered(volume: Volume) -> bool:
    """Say whether a volume already lies on the MNI152 2 mm grid, by its shape and affine."""
    if volume.data.shape != MNI_SHAPE:
        return False
    return bool(np.allclose(volume.affine, MNI_AFFINE, rtol=0, atol=_TOLERANCE_MM))


def _checked_affine(path: Path, image: Any, axes: str | None) -> np.ndarray:
    """Return the affine of an image, or make one from given directions of its axes."""
    codes = [int(image.header.get(key, 0)) for key in ("qform_code", "sform_code")]
    stated = "sform_code" in image.header
    if stated == (axes is not None):
        if stated:
            raise ValueError(f"{path} states its orientation, so axes must not be given")
        raise ValueError(
            f"{path} states no orientation (Analyze); give its axes, such as 'ASL', or convert it"
        )
    if axes is not None:
        return _affine_of_axes(image.header.get_zooms()[:3], axes)
    affine = np.asarray(image.affine, dtype=np.float64)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise ValueError(f"{path} has the singular affine {affine[:3].tolist()}; repair its header")
    if not any(codes):
        raise ValueError(
            f"{path} has qform and sform codes 0, so left and right are unknown; set its sform"
        )
    return affine


def _affine_of_axes(zooms: Any, axes: str) -> np.ndarray:
    from nibabel import orientations

    if sorted(min(code, {"R": "L", "A": "P", "S": "I"}.get(code, code)) for code in axes) != [
        "A",
        "I",
        "L",
    ]:
        raise ValueError(f"axes must name three directions such as 'ASL', got {axes!r}")
    turn = orientations.axcodes2ornt(tuple(axes))
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for axis, (world, sign) in enumerate(turn):
        affine[int(world), axis] = sign * float(zooms[axis])
    return affine


def _check_units(path: Path, image: Any, affine: np.ndarray) -> None:
    units = _stated_units(path, image.header)
    zooms = np.linalg.norm(affine[:3, :3], axis=0)
    if units not in _MILLIMETRES:
        raise ValueError(f"{path} states its sizes in {units}; expected mm: convert its header")
    field = zooms * np.asarray(image.shape[:3])
    small, large = _VOXEL_MM
    if not ((zooms >= small) & (zooms <= large)).all():
        shown = ", ".join(f"{zoom:.4g}" for zoom in zooms)
        raise ValueError(
            f"{path} has voxels of {shown} mm; allowed: {small} to {large}: wrong units?"
        )
    if not ((field >= _FIELD_MM[0]) & (field <= _FIELD_MM[1])).all():
        shown = " x ".join(f"{length:.4g}" for length in field)
        raise ValueError(
            f"{path} covers {shown} mm, which is no whole head ({_FIELD_MM[0]:g} to "
            f"{_FIELD_MM[1]:g} mm along each axis): wrong units, or cropped?"
        )


def _stated_units(path: Path, header: Any) -> str:
    if not hasattr(header, "get_xyzt_units"):
        return "mm"
    try:
        return header.get_xyzt_units()[0]
    except KeyError as error:
        raise ValueError(
            f"{path} states its sizes in the unknown unit {error.args[0]}; expected mm: repair "
            "its header"
        ) from error


def _load(path: Path, image: Any) -> np.ndarray:
    kind = image.get_data_dtype()
    if kind.kind not in "biuf":
        raise ValueError(f"{path} holds {kind}; expected real numbers")
    try:
        # What float32 cannot hold becomes infinite, which is refused afterwards.
        with np.errstate(over="ignore", invalid="ignore"):
            return np.asarray(image.dataobj, dtype=np.float32)
    # As for the header: a scale that is no number, say, raises what it likes.
    except Exception as error:
        raise ValueError(f"{path} is truncated or damaged: {error}") from error


def _check_values(path: Path, data: np.ndarray) -> None:
    finite = np.isfinite(data)
    if not finite.all():
        raise ValueError(f"{path} has {int((~finite).sum())} voxels that are NaN or infinite")
    if data.min() == data.max():
        raise ValueError(f"{path} is constant ({data.flat[0]:g} everywhere)")
