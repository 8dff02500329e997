"""Intensity normalisation inside the brain, stored in one byte per voxel."""

from __future__ import annotations

import numpy as np

from structnets.imaging.template import load_template

# Vessels and fat left at the edge are brighter than any tissue; they do not set the scale.
_BRIGHT_PERCENTILE = 99.9
# Resampling leaves small negative values at edges; deeper or more of them are something else.
_MOST_BELOW, _DEEP = 0.02, 0.05


def refuse_negative(volume: np.ndarray) -> None:
    """Refuse a scan of which much is below zero: clipped to bytes, those voxels would be lost.

    Parameters
    ----------
    volume : numpy.ndarray
        As it was read.

    Raises
    ------
    ValueError
        If more than 2 % of the voxels are below zero by more than 5 % of the brightest.
    """
    sample = volume[::2, ::2, ::2]
    bright = float(np.percentile(np.abs(sample), _BRIGHT_PERCENTILE))
    below = float((sample < -_DEEP * bright).mean())
    if below > _MOST_BELOW:
        raise ValueError(
            f"values are below 0 in {below:.0%} of the voxels, as after standardising to a mean of "
            "0 or in files of the wrong sign, and would be cut off: give the scan as it was "
            "measured, with a background of 0"
        )


def normalize(volume: np.ndarray, *, inside: np.ndarray | None = None) -> np.ndarray:
    """Scale a volume so that the 99.9th percentile inside the template's brain becomes 255.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91) on the MNI152 2 mm grid, any unit, background 0.
    inside : numpy.ndarray, optional
        (91, 109, 91) bool, what is kept; by default everything.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) uint8, clipped to 0..255; 0 outside.

    Raises
    ------
    ValueError
        If the volume is constant, or not positive, inside the brain.
    """
    kept = volume if inside is None else np.where(inside, volume, 0)
    brain = kept[load_template().mask]
    bright = float(np.percentile(brain, _BRIGHT_PERCENTILE))
    if bright <= 0 or brain.min() == brain.max():
        raise ValueError("the volume is empty or constant inside the template's brain")
    return np.clip(np.rint(kept * (255 / bright)), 0, 255).astype(np.uint8)


def as_bytes(volume: np.ndarray) -> np.ndarray:
    """Store a volume that others registered: as it is if its values are bytes, else normalised.

    Parameters
    ----------
    volume : numpy.ndarray
        (91, 109, 91) on the MNI152 2 mm grid.

    Returns
    -------
    numpy.ndarray
        (91, 109, 91) uint8.

    Raises
    ------
    ValueError
        As `normalize`.
    """
    coded = normalize(volume)
    if volume.min() >= 0 and 1 < volume.max() <= 255 and (volume == np.rint(volume)).all():
        return volume.astype(np.uint8)
    return coded
