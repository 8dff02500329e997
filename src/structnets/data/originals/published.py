"""Original files of published data sets: what they are, where they lie, whether they are whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from structnets.data.sets.entries.known_file import KnownFile
from structnets.files import sha256_file


def check_original(file: KnownFile, directory: str | os.PathLike[str]) -> Path:
    """Return the path of `file` in `directory` once its size and SHA-256 are verified.

    Raises
    ------
    FileNotFoundError
        If it is missing; the message says how to get it.
    ValueError
        If its content is not the published one.
    """
    require_originals([file], directory)
    path = Path(directory) / file.name
    size, found = path.stat().st_size, sha256_file(path)
    if found != file.sha256:
        raise ValueError(
            f"{path} is not the published file: {size} bytes with sha256 {found}, expected "
            f"{file.size} bytes with sha256 {file.sha256}; remove it and "
            f"{file.how_to_get(directory)}"
        )
    return path


def require_originals(files: Sequence[KnownFile], directory: str | os.PathLike[str]) -> None:
    """Check that every file is in `directory`.

    Raises
    ------
    FileNotFoundError
        If any is missing; the message names each, with how to get it.
    """
    missing = [file for file in files if not (Path(directory) / file.name).is_file()]
    if missing:
        names = ", ".join(file.name for file in missing)
        remedy = "; ".join(file.how_to_get(directory) for file in missing)
        raise FileNotFoundError(f"{names} missing in {directory}: {remedy}")
