"""MATLAB files (versions 5 to 7) of unknown origin, read with their faults named."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

_HEADER = 128  # bytes; the last four hold the version and the byte order
_COMPRESSED = 15
_HIGHEST_RATIO = 1032  # deflate never packs more tightly
_LARGEST = 1 << 30


def load_mat(path: str | os.PathLike[str], *, largest: int = _LARGEST) -> dict[str, np.ndarray]:
    """Read all variables of a MATLAB file.

    Parameters
    ----------
    path : path
        A file as MATLAB's ``save -v5``, ``-v6`` or ``-v7`` writes it.
    largest : int
        Bytes that the unpacked file may have: a small file can claim to unpack to terabytes.

    Returns
    -------
    dict
        Variable names and arrays; structures are structured arrays, cells object arrays.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not such a file, is damaged, or unpacks to more than `largest` bytes.
    """
    return read_mat(Path(path).read_bytes(), str(path), largest=largest)


def read_mat(content: bytes, name: str, *, largest: int = _LARGEST) -> dict[str, np.ndarray]:
    """Read all variables of a MATLAB file's content; see `load_mat`.

    Parameters
    ----------
    content : bytes
        Of the file.
    name : str
        What errors call it.
    largest : int
        Bytes that it may unpack to.
    """
    order = {b"IM": "<", b"MI": ">"}.get(content[_HEADER - 2 : _HEADER])
    if order is None:
        raise ValueError(
            f"{name} is not a MATLAB file of version 5 to 7; save it in MATLAB with -v7"
        )
    if len(content) * _HIGHEST_RATIO > largest:
        _check_unpacked_size(name, content, order, largest)
    return _parsed(content, name)


def _parsed(content: bytes, name: str) -> dict[str, np.ndarray]:
    from scipy.io import loadmat

    try:
        variables: dict[str, Any] = loadmat(io.BytesIO(content))
    # What a damaged file makes the parser raise is not documented: anything, in practice.
    except Exception as error:
        raise ValueError(
            f"{name} cannot be read as a MATLAB file ({type(error).__name__}: {error}); "
            "it is damaged, or of version 7.3: then save it in MATLAB with -v7"
        ) from error
    return {key: value for key, value in variables.items() if not key.startswith("__")}


def _check_unpacked_size(name: str, content: bytes, order: str, largest: int) -> None:
    """Unpack each variable in pieces, keeping none, until the file's end or the limit."""
    total, place = 0, _HEADER
    while place + 8 <= len(content):
        kind, size = struct.unpack_from(f"{order}II", content, place)
        packed = content[place + 8 : place + 8 + size]
        total += _unpacked_size(packed, largest - total) if kind == _COMPRESSED else size
        if total > largest:
            raise ValueError(f"{name} unpacks to more than {largest} bytes; refused")
        place += 8 + size


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
