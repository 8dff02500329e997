"""Grey PNG images as arrays in 0..1, their faults named."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np

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
        If it is damaged, not a PNG, has colours or transparency, or is so large that it must be
        an attack.
    """
    from PIL import Image

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is missing")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG",)) as image:
                # Decoding alone accepts a file that ends early or has a wrong checksum.
                image.verify()
            with Image.open(path, formats=("PNG",)) as image:
                mode = image.mode
                values = np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise ValueError(f"{path} cannot be read as a PNG: {error}") from error
    if mode not in _LARGEST:
        raise ValueError(
            f"{path} has mode {mode}; a grey image of 1, 8 or 16 bits is expected, without "
            "colours, palette or transparency"
        )
    return values.astype(np.float64) / _LARGEST[mode]
