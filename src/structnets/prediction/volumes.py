"""From a brain scan to the input of a net: registered and measured as the training's scans were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor

from structnets.training.raw_files import RawFiles

if TYPE_CHECKING:
    from structnets.imaging.subject import PreparedSubject


@dataclass(frozen=True)
class VolumeTransform:
    """How a brain scan becomes the input of one net.

    Call it with a NIfTI file, or the bytes of one; it returns (1, X, Y, Z), float32. A scan in
    native space takes about half a minute.

    Attributes
    ----------
    files : RawFiles
        From scans to inputs.
    facts : dict
        What `structnets.training.input_facts` kept.
    """

    files: RawFiles
    facts: dict[str, Any]

    endings: ClassVar[tuple[str, ...]] = (".nii", ".nii.gz")
    """Of the files that are looked for in a folder."""
    takes: ClassVar[str] = "brain scan"
    """What a file has to be, in words."""
    batch: ClassVar[int] = 1
    """So many files are answered for at once."""

    def __call__(self, source: str | Path | bytes) -> Tensor:
        """Return the input of a scan.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no scan, or a damaged one.
        """
        return self.apply(self.decode(source))

    def decode(self, source: str | Path | bytes) -> PreparedSubject:
        """Register a scan and measure how well it lies; raises as calling does."""
        if isinstance(source, bytes):
            return self.files.registered(source)
        return self.files.register(Path(source))

    def apply(self, made: PreparedSubject) -> Tensor:
        """Return the input of a registered scan."""
        return self.files.of_volume(made)[0]

    def examine(self, path: Path) -> tuple[Tensor, list[str]]:
        """Return the input of a file, and what a reader of its answer must know."""
        decoded = self.decode(path)
        return self.apply(decoded), self.remarks(decoded)

    def remarks(self, made: PreparedSubject) -> list[str]:
        """Say what quality control flags, and in what a scan is unlike those of the training."""
        said = [f"flagged by quality control: {problem}" for problem in made.facts["problems"]]
        others, total = self.facts.get("registered_before") or (0, 0)
        came_registered = made.facts["already_registered"]
        if total and came_registered and not others:
            said.append(
                "it came registered to MNI152; the training's scans were registered from native "
                "space"
            )
        if total and others == total and not came_registered:
            said.append(
                "it was registered from native space; the training's scans came registered to "
                "MNI152, by whatever tool"
            )
        return said
