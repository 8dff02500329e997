"""`KnownFile`: a published file, with what tells it from others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class KnownFile:
    """One published file.

    Attributes
    ----------
    name : str
        File name, the same at every mirror.
    size : int
        Bytes.
    md5, sha256 : str
        Checksums, hexadecimal; md5 is what the publishers print, sha256 what is checked.
    mirrors : tuple of str
        Addresses of the folders that serve it, each ending in ``/``.
    """

    name: str
    size: int
    md5: str
    sha256: str
    mirrors: tuple[str, ...]

    def how_to_get(self, directory: str | os.PathLike[str]) -> str:
        """Say where to get the file, how to check it and where to put it, in one phrase."""
        addresses = " or ".join(mirror + self.name for mirror in self.mirrors)
        return (
            f"get {self.name} from {addresses} ({self.size} bytes, sha256 {self.sha256}, "
            f"md5 {self.md5}) and put it at {Path(directory) / self.name}"
        )
