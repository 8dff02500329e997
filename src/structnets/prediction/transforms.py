"""From a picture to the input of a net, to the bit as its tests were read."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from structnets.data.batches.augmentation import Standardization
from structnets.data.batches.image_pipeline import ImagePipeline
from structnets.data.originals.picture import Picture, decode_picture
from structnets.data.originals.verified_image import fit, side_of
from structnets.forms.shards.source import Sight
from structnets.specs.resolved import ResolvedSpec

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMS = ("pictures", "shards", "splits")


@dataclass(frozen=True)
class Transform:
    """How a picture becomes the input of one net.

    Call it with a file, the bytes of one, or a PIL image; it returns (C, H, W), float32.

    Attributes
    ----------
    spec, facts : dict
        Of the training.
    """

    spec: ResolvedSpec
    facts: dict[str, Any]

    def __call__(self, source: str | Path | bytes | Image) -> Tensor:
        """Return the input of a picture.

        Raises
        ------
        OSError
            If the file cannot be read.
        ValueError
            If it is no picture, or a damaged one.
        """
        return self.apply(self.decode(source))

    def decode(self, source: str | Path | bytes | Image) -> Picture:
        """Decode a picture; raises as calling does."""
        if isinstance(source, (str, Path)):
            source = Path(source).read_bytes()
        if not isinstance(source, bytes):
            stream = io.BytesIO()
            source.save(stream, "PNG")
            source = stream.getvalue()
        return decode_picture(source, self.side)

    @property
    def side(self) -> int:
        """Pixels of the short side that pictures are resized to."""
        geometry = self.facts["geometry"]
        return side_of(geometry) if geometry else self.facts["image_shape"][-1]

    def apply(self, picture: Picture) -> Tensor:
        """Return the input of a decoded picture."""
        if self.facts["crop"] is None:
            return self._whole(picture.image)
        image = np.asarray(fit(picture.image, self.facts["geometry"]))
        sight = Sight.of(self.spec, Path(), {"files": {}, **self.facts})  # type: ignore[arg-type]
        with ImagePipeline(
            _OneImage(image),  # type: ignore[arg-type]
            sight.middle,
            standardization=sight.standardization,
        ) as pipeline:
            images, _ = pipeline.batch(np.zeros(1, dtype=np.int64), seed=0, step=0)
        return images[0].clone()

    def _whole(self, image: Image) -> Tensor:
        from PIL.Image import Resampling

        channels, height, width = self.facts["image_shape"]
        image = image.convert("L" if channels == 1 else "RGB")
        if image.size != (width, height):
            image = image.resize((width, height), Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(image)).reshape(height, width, channels)
        pixels = pixels.permute(2, 0, 1).contiguous()
        statistics = self.facts["statistics"]
        if statistics is None:
            return pixels.float().div_(255)
        return Standardization(statistics["mean"], statistics["std"])(pixels)

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


class _OneImage:
    """What the pipeline reads of a split, of a single image."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.heights, self.widths = (np.array([side]) for side in image.shape[:2])
        self.labels = np.zeros(1, dtype=np.int64)

    def pixels(self, row: int) -> np.ndarray:
        return np.array(self.image)


def _is_grey(image: Image) -> bool:
    pixels = np.asarray(image)[::4, ::4].astype(np.int16)
    return int(np.ptp(pixels, axis=2).max()) <= 8  # what JPEG may make of grey


def transform_of(form: str, spec: ResolvedSpec, facts: dict[str, Any]) -> Transform:
    """Return the transform of a run.

    Raises
    ------
    ValueError
        If its data are no pictures with classes, or a mean image is subtracted from them.
    """
    if form not in _FORMS:
        raise ValueError(
            f"{spec['model']['name']} was trained on {spec['data']['name']}, which are no pictures "
            "with classes: it cannot be asked about a picture"
        )
    if facts["mean_image"]:
        raise ValueError(
            "the run subtracts the mean image of its training set, which its weights' file does "
            "not hold: it cannot be asked about a picture"
        )
    return Transform(spec, facts)
