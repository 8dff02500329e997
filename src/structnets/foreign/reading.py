"""Bytes of a file of unknown origin: bounded, and a compressed one read to its checksum."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import IO

from structnets.foreign.limits import Limit, TooLargeError

_PIECE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_whole(path: Path, limit: Limit) -> bytes:
    """Read a file to its end, a ``.gz`` one unpacked and compared with its checksum.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or cut, or has more bytes than `limit`.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing, or no file")
    packed = path.suffix.lower() == ".gz"
    if not packed:
        limit.check(path, path.stat().st_size)
    with path.open("rb") as file:
        return unpack(file, path, limit) if packed else _bounded(file, path, limit)


def unpack(file: IO[bytes], name: object, limit: Limit) -> bytes:
    """Unpack a gzip stream to its end and checksum.

    Raises
    ------
    ValueError
        If it is none, is damaged or cut, or unpacks to more bytes than `limit`.
    """
    start = file.tell()
    is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    file.seek(start)
    if not is_gzip:
        raise ValueError(
            f"{name} is not compressed by gzip, and its name ends in .gz: its first two bytes are "
            "not 1f 8b; give it its true name, or download it again"
        )
    try:
        with gzip.open(file) as content:
            return _bounded(content, name, limit)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} is truncated or damaged, its compressed content does not hold: {error}; "
            "copy or download it again"
        ) from error


def _bounded(file: IO[bytes] | gzip.GzipFile, name: object, limit: Limit) -> bytes:
    whole, most = io.BytesIO(), limit.value()
    while piece := file.read(_PIECE):
        whole.write(piece)
        if whole.tell() > most:
            raise TooLargeError(limit.refusal(name, f"more than {most // limit.unit_size} MB"))
    return whole.getvalue()
