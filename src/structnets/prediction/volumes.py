"""From a brain scan to the input of a net: registered and measured as the training's scans were."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from structnets.prediction.file_transform import FileTransform

if TYPE_CHECKING:
    from structnets.imaging.subject import PreparedSubject


@dataclass(frozen=True)
class VolumeTransform(FileTransform["PreparedSubject"]):
    """How a brain scan becomes the input of one net.

    Call it with a NIfTI file, or the bytes of one; it returns (1, X, Y, Z), float32. A scan in
    native space takes about half a minute.
    """

    endings = (".nii", ".nii.gz")
    takes = "brain scan"
    batch = 1

    def decode(self, source: str | Path | bytes) -> PreparedSubject:
        """Register a scan and measure how well it lies; raises as calling does."""
        if isinstance(source, bytes):
            return self.files.registered(source)
        return self.files.register(Path(source))

    def apply(self, decoded: PreparedSubject) -> Tensor:
        """Return the input of a registered scan."""
        return self.files.of_volume(decoded)[0]

    def remarks(self, decoded: PreparedSubject) -> list[str]:
        """Say what quality control flags, and in what a scan is unlike those of the training."""
        said = [f"flagged by quality control: {problem}" for problem in decoded.facts["problems"]]
        others, total = self.facts.get("registered_before") or (0, 0)
        came_registered = decoded.facts["already_registered"]
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
