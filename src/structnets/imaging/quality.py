"""Quality control of a registered volume: numbers, and which of them are out of bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from structnets.imaging.template import load_template

# (lowest, highest) value that passes. Of 126 volumes registered by others, five have a lower
# similarity, one of which is plainly misplaced; a brain turned by 15 degrees is below it too.
LIMITS: Mapping[str, tuple[float, float]] = {
    "similarity": (0.42, 1.0),
    "overlap": (0.86, 1.0),
    "determinant": (0.35, 1.6),
    "smallest_scale": (0.65, 1.3),
    "largest_scale": (0.75, 1.5),
}
# Of a subject's own brain, the part that the template's cuts off. Four well registered brains lose
# 7 to 8 %, most of it their rim of cerebrospinal fluid.
LARGEST_LOSS = 0.10
# Thinner bridges than twice this join brain and scalp.
_BRIDGE_VOXELS = 3
_GAP_VOXELS = 4
# What an extracted brain smears over its edge is fainter than this part of its bright tissue.
_FAINT = 0.1


def measure(
    volume: np.ndarray, matrix: np.ndarray | None, own: np.ndarray | None = None
) -> dict[str, float]:
    """Measure how a volume lies in MNI152.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91) on the 2 mm grid, before its surroundings are blanked by the template.
    matrix : numpy.ndarray or None
        (4, 4), from points of MNI152 to points of the subject; None for a volume that came
        registered, whose matrix is unknown.
    own : numpy.ndarray, optional
        The volume's own brain, if `brain_of` has found it already.

    Returns
    -------
    dict
        ``similarity`` : correlation with the template inside its brain.
        ``overlap`` : Dice coefficient of the volume's own brain and the template's.
        With a matrix also ``determinant`` (volume of the subject's brain in units of the
        template's), ``smallest_scale`` and ``largest_scale`` (singular values).
    """
    template = load_template()
    inside = template.mask
    own = brain_of(volume) if own is None else own
    dice = 2.0 * np.count_nonzero(own & inside) / (np.count_nonzero(own) + inside.sum())
    similarity = _correlation(volume[inside], template.data[inside])
    found = {"similarity": similarity, "overlap": float(dice)}
    if matrix is not None:
        scales = np.linalg.svd(matrix[:3, :3], compute_uv=False)
        found["determinant"] = float(np.linalg.det(matrix[:3, :3]))
        found["smallest_scale"], found["largest_scale"] = float(scales[-1]), float(scales[0])
    return found


def problems(measured: Mapping[str, float]) -> list[str]:
    """Say which measurements are out of bounds, one phrase each; empty if none is."""
    found = []
    for name, value in measured.items():
        low, high = LIMITS[name]
        if not low <= value <= high:
            words = name.replace("_", " ")
            found.append(f"{words} {value:.2f} is not between {low:g} and {high:g}")
    return found


def cut_off(own: np.ndarray) -> float:
    """Return the part of a subject's own brain that lies outside the template's, in 0..1.

    Parameters
    ----------
    own : numpy.ndarray
        (91, 109, 91) bool, the brain (`brain_of`).
    """
    return float(np.count_nonzero(own & ~load_template().mask) / max(np.count_nonzero(own), 1))


def cut_problems(lost: float) -> list[str]:
    """Say whether too much of a brain was cut off; empty if not."""
    if lost <= LARGEST_LOSS:
        return []
    return [
        f"{lost:.1%} of its own brain is cut off by the template's, more than {LARGEST_LOSS:.0%}"
    ]


def brain_of(volume: np.ndarray) -> np.ndarray:
    """Find the brain of a T1-weighted volume without the template: its largest bright part.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91), any unit, background dark.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) bool. A threshold, an opening that cuts thin bridges to the scalp, the
        largest connected part, its holes filled.
    """
    from scipy import ndimage
    from skimage.filters import threshold_otsu

    alone = brain_is_alone(volume)
    bright = volume > (_FAINT * np.percentile(volume, 99) if alone else threshold_otsu(volume))
    # Padded, so that the closing does not see an edge where the brain stem leaves the grid.
    bright = np.pad(bright, _GAP_VOXELS)
    ball = ndimage.generate_binary_structure(3, 1)
    parts: Any = ndimage.label(ndimage.binary_erosion(bright, ball, _BRIDGE_VOXELS))
    labels, count = parts
    if count == 0:
        return np.zeros(volume.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    largest = ndimage.binary_dilation(labels == sizes.argmax(), ball, _BRIDGE_VOXELS)
    whole: Any = ndimage.binary_closing(largest, ball, _GAP_VOXELS)
    inner = (slice(_GAP_VOXELS, -_GAP_VOXELS),) * 3
    return np.asarray(ndimage.binary_fill_holes(whole[inner]), dtype=bool)


def brain_is_alone(volume: np.ndarray) -> bool:
    """Say whether the brain was extracted: more than half of the grid is exactly 0."""
    return bool(np.count_nonzero(volume) < 0.5 * volume.size)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() == 0:
        return 0.0
    return float(np.corrcoef(a.astype(np.float64), b.astype(np.float64))[0, 1])
