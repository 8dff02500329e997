"""Grey PNG images as arrays in 0..1, their faults named."""

from __future__ import annotations

import os

import numpy as np

from structnets.foreign.pictures import open_picture

_LARGEST = {"1": 1, "L": 255, "I;16": 65535, "I;16B": 65535, "I;16L": 65535}


def read_grey(path: str | os.PathLike[str]) -> np.ndarray:
    """Read a grey image of 1, 8 or 16 bits.

    Parameters
    ----------
    path : path
        A PNG.

    Returns
    -------
    numpy.ndarray
        (H, W) float64 in 0..1: grey value divided by the largest of its type.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged, not a PNG, has colours or transparency, or has more
        pixels than `structnets.foreign.limits.PICTURE`.
    """
    picture = open_picture(path, "PNG", path)
    mode, values = picture.mode, np.asarray(picture)
    if mode not in _LARGEST:
        raise ValueError(
            f"{path} has mode {mode}; a grey image of 1, 8 or 16 bits is expected, without "
            "colours, palette or transparency"
        )
    return values.astype(np.float64) / _LARGEST[mode]
