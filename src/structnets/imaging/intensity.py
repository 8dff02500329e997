"""Intensity normalisation inside the brain, stored in one byte."""

from __future__ import annotations

import numpy as np

from structnets.imaging.template import load_template

# A standard score z becomes 128 + 32 z: +-4 standard deviations fit a byte, in steps of 1/32.
CENTRE = 128
PER_DEVIATION = 32


def normalize(volume: np.ndarray, *, inside: np.ndarray | None = None) -> np.ndarray:
    """Standardise by mean and deviation inside the template's brain; store one byte per voxel.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91) on the MNI152 2 mm grid, any unit.
    inside : numpy.ndarray, optional
        (91, 109, 91) bool, what is kept; by default what differs from 0.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) uint8: 128 + 32 z rounded and clipped to 1..255; 0 outside.

    Raises
    ------
    ValueError
        If the volume is empty or constant inside the brain.
    """
    kept = (volume != 0) if inside is None else inside & (volume != 0)
    brain = volume[load_template().mask & kept]
    if brain.size == 0 or brain.std() == 0:
        raise ValueError("the volume is empty or constant inside the template's brain")
    scores = (volume - brain.mean(dtype=np.float64)) / brain.std(dtype=np.float64)
    coded = np.clip(np.rint(CENTRE + PER_DEVIATION * scores), 1, 255)
    return np.where(kept, coded, 0).astype(np.uint8)
