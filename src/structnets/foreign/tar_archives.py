"""Tar archives of unknown origin: no member makes the reader turn back, or take memory."""

from __future__ import annotations

import tarfile
from typing import IO

# Names and extended headers; the longest path that Linux knows has 4096 bytes.
_LONGEST_HEADER = 1 << 14
_PLAIN = (*tarfile.REGULAR_TYPES, *b"1 2 3 4 5 6".split())


class _Member(tarfile.TarInfo):
    """A member whose size is checked before its content is skipped or read.

    Python's reader follows a negative size back to the same header, for ever, and reads a header
    of any size at once, with expressions that take the square of its length.
    """

    def _block(self, count: int) -> int:
        if count < 0:
            raise tarfile.ReadError("a member of negative size")
        return super()._block(count)  # type: ignore[misc]

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type == tarfile.GNUTYPE_SPARSE:
            raise tarfile.ReadError("a sparse member")
        if self.type not in _PLAIN and self.size > _LONGEST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size} bytes")
        return super()._proc_member(archive)  # type: ignore[misc]


def open_tar(file: IO[bytes]) -> tarfile.TarFile:
    """Open an uncompressed archive for reading.

    Going through it raises `tarfile.TarError`, `ValueError`, `OverflowError` or `EOFError` where
    it is damaged.
    """
    return tarfile.open(fileobj=file, mode="r:", tarinfo=_Member)


FAULTS = (tarfile.TarError, ValueError, OverflowError, EOFError, MemoryError, RecursionError)
