"""Uncompressed tar archives as lists of byte ranges: nothing is ever extracted by name.

ImageNet's archive of archives is read in place: a member of an inner archive is a range of the
outer file, which any process can read by itself.
"""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from structnets.foreign.shown import shortened, shown
from structnets.foreign.tar_archives import FAULTS, open_tar

_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class FileRange:
    """One file of a data set: its name, and the bytes of a file on disk that are its content."""

    name: str
    path: str
    offset: int
    size: int

    def read(self) -> bytes:
        """Return the content.

        Raises
        ------
        ValueError
            If the file on disk ends before it does.
        """
        with Path(self.path).open("rb", buffering=0) as file:
            content = os.pread(file.fileno(), self.size, self.offset)
        if len(content) < self.size:
            raise ValueError(f"{self.path} ends within {self.name}")
        return content


def list_tar(path: Path, inner: FileRange | None = None) -> list[FileRange]:
    """List the files of an uncompressed tar archive.

    Parameters
    ----------
    path : Path
        The archive.
    inner : FileRange, optional
        A member of `path` that is itself the archive to list.

    Returns
    -------
    list of FileRange
        In the archive's order; folders are left out.

    Raises
    ------
    ValueError
        If the archive is truncated, damaged or compressed, or if a member is a link or a
        device, or has an absolute name or one with ``..``.
    """
    name = str(path) if inner is None else f"{path}, {inner.name}"
    start, size = (0, path.stat().st_size) if inner is None else (inner.offset, inner.size)
    found, end = [], 0
    with path.open("rb") as file:
        window: io.RawIOBase = _Window(file, start, size)
        try:
            with open_tar(io.BufferedReader(window, 1 << 16)) as archive:
                for member in archive:
                    end = member.offset_data + -(-member.size // _BLOCK) * _BLOCK
                    if member.isdir():
                        continue
                    _check_member(member)
                    at = start + member.offset_data
                    found.append(FileRange(member.name, str(path), at, member.size))
        except _RefusedError as error:
            raise ValueError(f"{name} is refused: {error}") from None
        except FAULTS as error:
            raise ValueError(
                f"{name} is damaged or no tar archive: {shortened(error)}; download it again"
            ) from error
        # The reader takes a broken header for the end: only a block of zeros is one.
        file.seek(start + end)
        if end + _BLOCK > size or file.read(_BLOCK).strip(b"\0"):
            raise ValueError(
                f"{name} is truncated or damaged after {len(found)} files; download it again"
            )
    return found


class _RefusedError(Exception):
    """What a member is that no archive of pictures needs."""


def _check_member(member: tarfile.TarInfo) -> None:
    parts = PurePosixPath(member.name)
    if parts.is_absolute() or ".." in parts.parts:
        raise _RefusedError(f"member {shown(member.name)} points out of it")
    if not member.isreg():
        raise _RefusedError(f"member {shown(member.name)} is no plain file")


class _Window(io.RawIOBase):
    """A range of an open file, as a file of its own."""

    def __init__(self, file: io.BufferedReader, start: int, size: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        wanted = max(0, min(len(view), self._size - self._at))
        content = os.pread(self._file.fileno(), wanted, self._start + self._at)
        view[: len(content)] = content
        self._at += len(content)
        return len(content)
