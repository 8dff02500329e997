"""Array files of prepared data."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from structnets.files import atomic_path


def save_array(path: Path, array: np.ndarray) -> None:
    """Write an array file whole or not at all; an error names it.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    try:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
    except OSError as error:
        # numpy reports a full disk without the name of the file.
        raise OSError(f"could not write {path}: {error}") from error
