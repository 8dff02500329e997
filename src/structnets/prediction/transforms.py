"""From a picture to the input of a net; files to the bit as its tests were read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from structnets.data.originals.picture import SUFFIXES, Picture, picture_of
from structnets.data.originals.verified_image import BrokenImageError, side_of
from structnets.foreign.limits import ARRAY
from structnets.foreign.reading import read_whole
from structnets.prediction.file_transform import FileTransform

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Transform(FileTransform[Picture]):
    """How a picture becomes the input of one net.

    Call it with a file, the bytes of one, or a PIL image; it returns (C, H, W), float32. Files and
    their bytes become what the tests of the training read, to the bit; an image decoded by others
    does but for what their decoding makes different, as of large JPEGs, which are decoded at a
    reduced scale here.
    """

    endings = tuple(sorted(SUFFIXES))
    takes = "picture"
    batch = 32

    def decode(self, source: str | Path | bytes | Image) -> Picture:
        """Decode a picture; raises as calling does."""
        if isinstance(source, (str, Path)):
            source = read_whole(Path(source), ARRAY)
        if isinstance(source, bytes):
            return self.files.decode(source)
        try:
            return picture_of(source)
        except BrokenImageError as error:
            raise ValueError(f"no picture that can be read: {error}") from error

    def apply(self, picture: Picture) -> Tensor:
        """Return the input of a decoded picture."""
        return self.files.of_picture(picture)[0]

    @property
    def side(self) -> int:
        """Pixels of the short side that pictures are resized to."""
        geometry = self.facts["geometry"]
        return side_of(geometry) if geometry else self.facts["image_shape"][-1]

    def remarks(self, picture: Picture) -> list[str]:
        """Say in what a picture is unlike those of the training."""
        said, sides = [], self.facts.get("sides")
        if sides and min(picture.size) < sides[0]:
            said.append(
                f"{picture.size[0]}x{picture.size[1]} pixels are fewer than those of any training "
                f"picture (at least {sides[0]})"
            )
        if min(picture.size) < self.side:
            said.append(f"it is enlarged from {min(picture.size)} to {self.side} pixels")
        colourless = _is_grey(picture.image)
        if self.facts.get("grey") and not colourless:
            said.append("it has colours, the training pictures had none")
        return said


def _is_grey(image: Image) -> bool:
    pixels = np.asarray(image)[::4, ::4].astype(np.int16)
    return int(np.ptp(pixels, axis=2).max()) <= 8  # what JPEG may make of grey
