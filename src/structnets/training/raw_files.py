"""From a raw file to what a published net takes: a picture, or a brain volume.

A picture is decoded, turned as its camera says, made grey or RGB, and its middle resized to the
size of the training images, whose pixels are not touched; then come the scale, or the mean and
deviation, of the training. A brain volume (NIfTI) is registered and put on the cohort's grid as the
cohort's scans were.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from structnets.data.batches.augmentation import Standardization
from structnets.data.originals.picture import Picture, decode_picture
from structnets.data.originals.verified_image import BrokenImageError, fit, side_of
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.specs.resolved import ResolvedSpec

if TYPE_CHECKING:
    from PIL.Image import Image

    from structnets.imaging.subject import PreparedSubject

_GZIP = b"\x1f\x8b"
_OWN_PICTURES = ("pictures", "picture_scores", "picture_labels")
_CROPPED = ("shards", *_OWN_PICTURES)
_VOLUMES = ("cohort", "scores")
_FORMS = ("splits", *_VOLUMES, *_CROPPED)


class RawFiles:
    """Turns the bytes of files into inputs of one net.

    Parameters
    ----------
    spec : dict
        Resolved spec of the net's training.
    facts : mapping
        Of its prepared data: ``image_shape``, (C, H, W) or (C, X, Y, Z), and the ``statistics``
        where the training standardised by them; of images in shards also their
        ``geometry``.

    Raises
    ------
    ValueError
        If the net does not take single pictures or volumes: its message says which it does.
    """

    def __init__(self, spec: ResolvedSpec, facts: Mapping[str, Any]) -> None:
        self.spec, self.shape = spec, tuple(facts["image_shape"])
        self.geometry = facts.get("geometry", "")
        self.form = find_dataset(spec["data"]["name"]).form
        if self.form not in _FORMS:
            raise ValueError(
                f"data of the form {self.form!r} have no labels to predict; nets of the forms "
                f"{', '.join(_FORMS)} predict from raw files"
            )
        if spec["recipe"].get("mean_image"):
            raise ValueError(
                "this net sees pictures less a mean image that only its prepared data hold: "
                "predict from those"
            )
        if columns := spec["data"]["prepare"].get("regress_out"):
            raise ValueError(
                f"this net sees volumes less what {columns} say of them, by a fit that only its "
                "training had: it cannot be asked about a scan"
            )
        self._standardization = None
        if spec["recipe"].get("standardize"):
            given = facts["statistics"]
            self._standardization = Standardization(
                given["mean"], given["std"], len(self.shape) - 1
            )

    @property
    def of_scans(self) -> bool:
        """Whether its files are brain scans."""
        return self.form in _VOLUMES

    @property
    def takes(self) -> str:
        """What a file has to be, in words."""
        if self.of_scans:
            return "a NIfTI volume of a head (.nii, .nii.gz), native or on the MNI152 2 mm grid"
        colour = "grey" if self.shape[0] == 1 else "RGB"
        side = "x".join(map(str, self.shape[1:]))
        return f"a picture (JPEG, PNG and others); its middle becomes {side} pixels, {colour}"

    def __call__(self, content: bytes) -> Tensor:
        """Return the input, (1, C, …) float32, that the bytes of one file make.

        Raises
        ------
        ValueError
            If it is no such file, or damaged.
        """
        if self.of_scans:
            return self.of_volume(self.registered(content))
        return self.of_picture(self.decode(content))

    def _scaled(self, raw: np.ndarray) -> Tensor:
        images = torch.from_numpy(np.array(raw))[None]
        if self._standardization is not None:
            return self._standardization(images)
        return images.float().div_(255)

    def decode(self, content: bytes) -> Picture:
        """Decode the bytes of a picture.

        Raises
        ------
        ValueError
            If they are no picture, or a damaged one.
        """
        # A study's pictures were decoded at a reduced scale, all others at their full one.
        side = side_of(self.geometry) if self.form in _OWN_PICTURES else None
        try:
            return decode_picture(content, side)
        except BrokenImageError as error:
            raise ValueError(f"no picture that can be read: {error}") from error

    def of_picture(self, picture: Picture) -> Tensor:
        """Return the input, (1, C, H, W) float32, of a decoded picture."""
        return self._scaled(self._pixels(picture.image))

    def _pixels(self, image: Image) -> np.ndarray:
        from PIL import ImageOps
        from PIL.Image import Resampling

        channels, height, width = self.shape
        if self.form in _CROPPED:
            pixels = self._middle(image)
        else:
            image = image.convert("L" if channels == 1 else "RGB")
            if image.size != (width, height):
                image = ImageOps.fit(image, (width, height), Resampling.BILINEAR)
            pixels = np.asarray(image)
        return pixels[None] if channels == 1 else pixels.transpose(2, 0, 1)

    def _middle(self, image: Any) -> np.ndarray:
        """Return the part that evaluation sees, (size, size, 3) uint8."""
        from structnets.data.batches.crops import CenterCrop, CenterPart, Crop

        crop, image = self.spec["recipe"].get("crop"), fit(image, self.geometry)
        if crop is None:  # what is fitted without gradients sees all of the short side
            middle: Crop = CenterCrop(side_of(self.geometry))
        else:
            kind = CenterCrop if crop["kind"] == "random" else CenterPart
            middle = kind(crop["size"])
        seen = middle.windows(np.array([image.height]), np.array([image.width]))
        top, left = int(seen.top[0]), int(seen.left[0])
        shown = np.asarray(image)[top : top + int(seen.height[0]), left : left + int(seen.width[0])]
        planes = torch.from_numpy(np.array(shown)).permute(2, 0, 1)[None]
        if planes.shape[-1] != middle.size:
            size = (middle.size, middle.size)
            planes = functional.interpolate(planes, size, mode="bilinear", antialias=True)
        return planes[0].permute(1, 2, 0).numpy()

    def register(self, path: Path) -> PreparedSubject:
        """Register a scan as those of the training were, and measure how well it lies.

        Raises
        ------
        ValueError
            If the file is no scan, or a damaged one.
        """
        from structnets.cohorts.request import CohortRequest
        from structnets.imaging.subject import prepare_subject

        data = self.spec["data"]
        return prepare_subject(path, CohortRequest(data["name"], data["prepare"]).steps())

    def of_volume(self, made: PreparedSubject) -> Tensor:
        """Return the input, (1, 1, X, Y, Z) float32, of a registered scan.

        Raises
        ------
        ValueError
            If it does not become what the net takes.
        """
        from structnets.cohorts.request import CohortRequest
        from structnets.imaging.grid import on_grid

        data = self.spec["data"]
        request = CohortRequest(data["name"], data["prepare"])
        volume = on_grid(made.volume, request.grid_mm, request.field_of_view)
        if volume.shape != self.shape[1:]:
            raise ValueError(f"the volume became {volume.shape}, the net takes {self.shape[1:]}")
        return self._scaled(volume[None])

    def registered(self, content: bytes) -> PreparedSubject:
        """Register the bytes of a scan; raises as `register`."""
        ending = ".nii.gz" if content.startswith(_GZIP) else ".nii"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"scan{ending}"
            path.write_bytes(content)
            return self.register(path)
