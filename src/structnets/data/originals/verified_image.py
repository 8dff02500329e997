"""One original image: decoded whole, so that a broken one is found, and brought to a geometry."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from structnets.foreign.limits import PICTURE
from structnets.foreign.pictures import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

JPEG_QUALITY = 95
_MOST_PIXELS = 65_535  # of a side, in the index of stored images
_COLOUR_SPACES = {"RGB": None, "L": "grey", "CMYK": "CMYK"}


class BrokenImageError(ValueError):
    """Why an image cannot be used."""


def decode_verified(content: bytes) -> tuple[Image, str | None]:
    """Decode a JPEG whole.

    Parameters
    ----------
    content : bytes
        The file. Grey values become three equal channels; CMYK becomes RGB without a colour
        profile, as Pillow does it.

    Returns
    -------
    image : PIL.Image.Image
        RGB.
    converted : str or None
        ``grey`` or ``CMYK`` where it was of that kind.

    Raises
    ------
    BrokenImageError
        If it is no JPEG, of another kind, or truncated.
    """
    try:
        image = open_picture(content, "JPEG", "it")
        if image.mode not in _COLOUR_SPACES:
            raise BrokenImageError(f"colour mode {image.mode}")
        rgb = image.convert("RGB")
    except BrokenImageError:
        raise
    except ValueError as error:
        raise BrokenImageError(str(error).removeprefix("it is ").removeprefix("it ")) from error
    return rgb, _COLOUR_SPACES[image.mode]


def fit(image: Image, geometry: str) -> Image:
    """Resize an image bilinearly (antialiased) to a geometry.

    Parameters
    ----------
    image : PIL.Image.Image
        RGB.
    geometry : str
        ``squash256``, ``short320`` and so on. ``squash``: to a square of that side, whatever the
        aspect, as in chapter 3. ``short``: the short side becomes that long and the aspect is
        kept.

    Returns
    -------
    PIL.Image.Image

    Raises
    ------
    BrokenImageError
        If it is so long and narrow that it would have more pixels than the limit.
    """
    from PIL.Image import Resampling

    side, (width, height) = side_of(geometry), image.size
    if geometry.startswith("squash"):
        size = (side, side)
    elif width < height:
        size = (side, side * height // width)
    else:
        size = (side * width // height, side)
    try:
        PICTURE.check("resized, it", size[0] * size[1])
    except ValueError as error:
        raise BrokenImageError(f"{width} x {height} pixels: {error}") from None
    if max(size) > _MOST_PIXELS:
        raise BrokenImageError(f"{width} x {height} pixels are too long to be {side} wide")
    return image.resize(size, Resampling.BILINEAR)


def side_of(geometry: str) -> int:
    """Return the side of the square that every image of a geometry fills."""
    return int(re.sub(r"\D", "", geometry))


def encode(image: Image, storage: str) -> bytes:
    """Return the stored bytes of an image: rows of RGB pixels, or a JPEG of quality 95, 4:4:4.

    A marker ends each row of the JPEG's blocks, so that rows can be decoded without the others
    (`structnets.data.prepared.jpeg_rows`), for .3 % more bytes.
    """
    if storage == "raw":
        return image.tobytes()
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0, restart_marker_rows=1)
    return stream.getvalue()


def pixels(image: Image) -> np.ndarray:
    """Return an RGB image as (3, H, W) uint8."""
    return np.asarray(image).transpose(2, 0, 1)


def decoder() -> dict[str, Any]:
    """Name the versions that decide what a decoded pixel is, for the manifest."""
    import PIL
    from PIL import features

    return {"pillow": PIL.__version__, "libjpeg": features.version("jpg")}
