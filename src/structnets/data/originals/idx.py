"""Reader of idx files, the original format of MNIST (plain or gzip-compressed).

An idx file is two zero bytes, a type code, the number of dimensions, each dimension as a
big-endian uint32, then the values in C order, big-endian.
"""

from __future__ import annotations

import io
import math
import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from structnets.foreign.limits import ARRAY
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shown

_TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}


def read_idx(
    path: str | os.PathLike[str], *, dtype: DTypeLike | None = None, ndim: int | None = None
) -> np.ndarray:
    """Read one idx file whole and check everything its header promises.

    Parameters
    ----------
    path : path
        The file; a name ending in ``.gz`` is decompressed.
    dtype : dtype, optional
        The type of value the file must hold.
    ndim : int, optional
        The number of dimensions it must have (3 for MNIST images, 1 for labels).

    Returns
    -------
    numpy.ndarray
        Writable, in native byte order.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not gzip where its name says so, is damaged or truncated, is not an
        idx file of the given type and dimensions, has bytes after its values, or has more bytes
        than `structnets.foreign.limits.ARRAY`.
    """
    path = Path(path)
    return _parse(io.BytesIO(read_whole(path, ARRAY)), path, dtype, ndim)


def _parse(
    content: io.BufferedIOBase, path: Path, dtype: DTypeLike | None, ndim: int | None
) -> np.ndarray:
    found, shape = _read_header(content, path)
    if dtype is not None and found.newbyteorder("=") != np.dtype(dtype):
        raise ValueError(f"{path} holds {found.name} values, expected {np.dtype(dtype).name}")
    if ndim is not None and len(shape) != ndim:
        raise ValueError(f"{path} has {len(shape)} dimensions {shown(shape)}, expected {ndim}")
    # Python integers: a hostile header must not overflow.
    expected = math.prod(shape) * found.itemsize
    values = content.read()
    if len(values) < expected:
        raise ValueError(
            f"{path} is truncated: {len(values)} bytes of values, its header {shown(shape)} "
            f"promises {_shown(expected)}; download it again"
        )
    if len(values) > expected:
        raise ValueError(
            f"{path} has bytes after the {_shown(expected)} that its header {shown(shape)} "
            "promises; download it again"
        )
    return np.frombuffer(values, dtype=found).reshape(shape).astype(found.newbyteorder("="))


def _shown(count: int) -> str:
    return f"{count}" if count < 1 << 64 else "more than any disk holds"


def _read_header(content: io.BufferedIOBase, path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    magic = content.read(4)
    if len(magic) < 4:
        raise ValueError(
            f"{path} is truncated: {len(magic)} bytes, too few for an idx header; download it again"
        )
    if magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise ValueError(
            f"{path} is not an idx file: its magic number is 0x{magic.hex()}; download it again"
        )
    count = magic[3]
    dimensions = content.read(4 * count)
    if len(dimensions) < 4 * count:
        raise ValueError(
            f"{path} is truncated: its header ends before its {count} dimensions; download it again"
        )
    return _TYPES[magic[2]], struct.unpack(f">{count}I", dimensions)
