"""The MNI152 template and its brain mask on the 2 mm grid, from nilearn's built-in copy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE, SPACING_MM


@dataclass(frozen=True)
class Template:
    """What volumes are registered to.

    Attributes
    ----------
    data : numpy.ndarray
        (91, 109, 91) float32, T1 intensity 0..1, skull-stripped.
    mask : numpy.ndarray
        (91, 109, 91) bool, the brain.
    """

    data: np.ndarray
    mask: np.ndarray


@cache
def load_template() -> Template:
    """Return the symmetric ICBM152 (2009a) template averaged from 1 mm to the 2 mm grid.

    nilearn ships it, so that nothing is downloaded. The arrays are read-only.
    """
    from nilearn import datasets

    data = _averaged(datasets.load_mni152_template(resolution=1))
    mask = _averaged(datasets.load_mni152_brain_mask(resolution=1)) > 0.5
    for array in (data, mask):
        array.flags.writeable = False
    return Template(data, mask)


def _averaged(image: object) -> np.ndarray:
    """Sample a 1 mm image at the 2 mm grid after a Gaussian that halves its bandwidth."""
    from nibabel.processing import resample_from_to
    from scipy.ndimage import gaussian_filter

    fine = np.asarray(image.dataobj, dtype=np.float32)  # type: ignore[attr-defined]
    smooth = gaussian_filter(fine, sigma=0.4 * SPACING_MM)
    source = type(image)(smooth, image.affine)  # type: ignore[attr-defined,call-arg]
    return np.asarray(
        resample_from_to(source, (MNI_SHAPE, MNI_AFFINE), order=1).dataobj, dtype=np.float32
    )
