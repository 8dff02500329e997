"""MATLAB files (versions 5 to 7) of unknown origin, read with their faults named."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from structnets.foreign.apart import read_apart
from structnets.foreign.limits import ARRAY
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shortened

_HEADER = 128  # bytes; the last four hold the version and the byte order
_COMPRESSED = 15
_HIGHEST_RATIO = 1032  # deflate never packs more tightly


def load_mat(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read all variables of a MATLAB file.

    Parameters
    ----------
    path : path
        A file as MATLAB's ``save -v5``, ``-v6`` or ``-v7`` writes it.

    Returns
    -------
    dict
        Variable names and arrays; structures are structured arrays, cells object arrays.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, is damaged, or has or unpacks to more bytes than
        `structnets.foreign.limits.ARRAY`.
    """
    return read_mat(read_whole(Path(path), ARRAY), str(path))


def read_mat(content: bytes, name: str) -> dict[str, np.ndarray]:
    """Read all variables of a MATLAB file's content; see `load_mat`.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        What errors call it.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER - 2 : _HEADER])
    if order is None:
        raise ValueError(
            f"{name} is not a MATLAB file of version 5 to 7; save it in MATLAB with -v7"
        )
    if len(content) * _HIGHEST_RATIO > ARRAY.value():
        ARRAY.check(name, _unpacked_bytes(content, order))
    return read_apart(f"{__name__}:parse", content, name, ARRAY)


def parse(content: bytes) -> dict[str, np.ndarray]:
    """Parse a MATLAB file, in a process that may die of it: SciPy's reader trusts what it says."""
    from scipy.io import loadmat

    try:
        variables: dict[str, Any] = loadmat(io.BytesIO(content))
    except (MemoryError, NotImplementedError):
        raise
    # What a damaged file makes the parser raise is not documented: anything, in practice.
    except Exception as error:
        raise ValueError(
            f"cannot be read as a MATLAB file ({type(error).__name__}: {shortened(error)})"
        ) from error
    return {key: value for key, value in variables.items() if not key.startswith("__")}


def _unpacked_bytes(content: bytes, order: str) -> int:
    """Unpack each variable in pieces, keeping none, until the file's end or beyond the limit."""
    total, place = 0, _HEADER
    while place + 8 <= len(content) and total <= ARRAY.value():
        kind, size = struct.unpack_from(f"{order}II", content, place)
        packed = content[place + 8 : place + 8 + size]
        total += _unpacked_size(packed, ARRAY.value()) if kind == _COMPRESSED else size
        place += 8 + size
    return total


def _unpacked_size(packed: bytes, largest: int) -> int:
    unpacker, size = zlib.decompressobj(), 0
    try:
        while packed and size <= largest:
            size += len(unpacker.decompress(packed, 1 << 20))
            packed = unpacker.unconsumed_tail
    except zlib.error:
        # The parser will say so, with the file's name.
        return size
    return size
