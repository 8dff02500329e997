"""Reader of idx files, the original format of MNIST (plain or gzip-compressed).

An idx file is two zero bytes, a type code, the number of dimensions, each dimension as a
big-endian uint32, then the values in C order, big-endian.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

_TYPES = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20


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
        idx file of the given type and dimensions, or has bytes after its values.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing")
    with path.open("rb") as raw:
        if path.suffix != ".gz":
            return _parse(raw, path, dtype, ndim)
        if raw.read(2) != _GZIP_MAGIC:
            raise ValueError(f"{path} is not a gzip file: its first two bytes are not 1f 8b")
        raw.seek(0)
        try:
            with gzip.open(raw) as content:
                return _parse(content, path, dtype, ndim)
        except EOFError as error:
            raise ValueError(f"{path} is truncated: its gzip stream has no end") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is damaged: {error}") from error


def _parse(
    content: io.BufferedIOBase, path: Path, dtype: DTypeLike | None, ndim: int | None
) -> np.ndarray:
    found, shape = _read_header(content, path)
    if dtype is not None and found.newbyteorder("=") != np.dtype(dtype):
        raise ValueError(f"{path} holds {found.name} values, expected {np.dtype(dtype).name}")
    if ndim is not None and len(shape) != ndim:
        raise ValueError(f"{path} has {len(shape)} dimensions {shape}, expected {ndim}")
    # Python integers: a hostile header must not overflow, nor make us allocate what it claims.
    expected = math.prod(shape) * found.itemsize
    values = bytearray()
    while block := content.read(min(_CHUNK, expected + 1 - len(values))):
        values += block
    if len(values) < expected:
        raise ValueError(
            f"{path} is truncated: {len(values)} bytes of values, its header {shape} "
            f"promises {expected}"
        )
    if len(values) > expected:
        raise ValueError(f"{path} has bytes after the {expected} that its header {shape} promises")
    return np.frombuffer(values, dtype=found).reshape(shape).astype(found.newbyteorder("="))


def _read_header(content: io.BufferedIOBase, path: Path) -> tuple[np.dtype, tuple[int, ...]]:
    magic = content.read(4)
    if len(magic) < 4:
        raise ValueError(f"{path} is truncated: {len(magic)} bytes, too few for an idx header")
    if magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        raise ValueError(f"{path} is not an idx file: its magic number is 0x{magic.hex()}")
    count = magic[3]
    dimensions = content.read(4 * count)
    if len(dimensions) < 4 * count:
        raise ValueError(f"{path} is truncated: its header ends before its {count} dimensions")
    return _TYPES[magic[2]], struct.unpack(f">{count}I", dimensions)
