"""Array files of unknown origin: mapped, so that none is made of what a header merely claims."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from structnets.foreign.limits import ARRAY
from structnets.foreign.shown import shortened

if TYPE_CHECKING:
    import numpy as np


def map_array(
    path: str | os.PathLike[str], mode: Literal["r", "c"] = "c", *, bounded: bool = False
) -> np.ndarray:
    """Map an ``.npy`` file; nothing in it is unpickled.

    Parameters
    ----------
    path : path
        The file.
    mode : {"c", "r"}
        Copy-on-write (writing to the map never reaches the file), or read-only.
    bounded : bool
        Refuse one of more bytes than the limit: the array will be read whole.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no array file, is cut, or too large.
    """
    import numpy as np

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is missing, or no file")
    try:
        with np.errstate(over="raise"):
            array = np.lib.format.open_memmap(Path(path), mode=mode)
    # A header is a Python literal, and says what it likes.
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as an array: {shortened(error)}; it is damaged: make it anew"
        ) from error
    if bounded:
        ARRAY.check(path, math.prod(array.shape) * array.itemsize)
    return array
