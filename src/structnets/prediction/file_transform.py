"""From a file to the input of a net, and what a reader of the net's answer must know of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from torch import Tensor

from structnets.training.raw_files import RawFiles

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class FileTransform(Generic[Decoded]):
    """How a file becomes the input of one net, in two steps: what it decodes to, and the input.

    Attributes
    ----------
    files : RawFiles
        From files to inputs.
    facts : dict
        What `structnets.training.input_facts` kept.
    """

    files: RawFiles
    facts: dict[str, Any]

    endings: ClassVar[tuple[str, ...]]
    """Of the files that are looked for in a folder."""
    takes: ClassVar[str]
    """What a file has to be, in words."""
    batch: ClassVar[int]
    """So many files are answered for at once."""

    def __call__(self, source: Any) -> Tensor:
        """Return the input of a file.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is not what `takes` says, or a damaged one.
        """
        return self.apply(self.decode(source))

    def examine(self, path: Path) -> tuple[Tensor, list[str]]:
        """Return the input of a file, and what a reader of its answer must know."""
        decoded = self.decode(path)
        return self.apply(decoded), self.remarks(decoded)

    def decode(self, source: Any) -> Decoded:
        """Decode a file; raises as calling does."""
        raise NotImplementedError

    def apply(self, decoded: Decoded, /) -> Tensor:
        """Return the input of what was decoded."""
        raise NotImplementedError

    def remarks(self, decoded: Decoded, /) -> list[str]:
        """Say what is to be known of it."""
        raise NotImplementedError
