"""A picture of any common format, decoded whole: turned as its camera says, in RGB, 8 bits.

Palettes, grey, CMYK, transparency and 16 bits become RGB, and what was changed is named. A JPEG is
decoded at a reduced scale where that is still larger than what is asked for: many times faster for
photographs, and its bytes are read to the end all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from structnets.data.originals.verified_image import BrokenImageError
from structnets.foreign.limits import TooLargeError
from structnets.foreign.pictures import checked_picture
from structnets.foreign.shown import shortened

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    {
        *(".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm"),
        *(".ppm", ".tif", ".tiff", ".webp"),
    }
)
"""Endings, in small letters, of files that are taken for pictures."""

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Reduced decoding leaves at least so many times the wanted side, so that resizing still averages.
_SPARE = 2
# Detectors of 10 and 12 bits write files of 16: of those a few of the 256 levels are left.
_DARK = 2**14
DARK_16_BITS = "16 bits of which less than a quarter is used"


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB, upright, perhaps at a reduced scale.
    converted : str or None
        What it was where it was no plain RGB of 8 bits: ``grey``, ``CMYK``, ``palette``,
        ``transparent`` (laid on white), ``16 bits``, `DARK_16_BITS`, ``first of several frames``.
    size : (int, int)
        Width and height of the original, as stored.
    """

    image: Image
    converted: str | None
    size: tuple[int, int]


def decode_picture(content: bytes, side: int | None = None) -> Picture:
    """Decode a picture whole.

    Parameters
    ----------
    content : bytes
        The file.
    side : int, optional
        What its short side will be resized to; without, it is decoded at its full scale.

    Returns
    -------
    Picture

    Raises
    ------
    BrokenImageError
        If it is no picture, truncated, larger than the limit, or of values that have no range.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not content:
        raise BrokenImageError("an empty file")
    Image.init()  # without, some formats are known only once one of them was opened
    try:
        with checked_picture(content, _FORMATS, "it") as image:
            size = image.size
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if side is not None:
                spare = (_SPARE * side, _SPARE * side)
                image.draft("L" if image.mode == "L" else "RGB", spare)
            rgb, converted = _rgb(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        start = content[:4].hex(" ")
        raise BrokenImageError(f"no picture of a known format: it begins with {start}") from error
    except (TooLargeError, Image.DecompressionBombError) as error:
        raise BrokenImageError(f"too large: {error}") from error
    except BrokenImageError:
        raise
    # What a damaged file makes Pillow's readers raise is not documented.
    except Exception as error:
        raise BrokenImageError(f"damaged: {shortened(error)}") from error
    return Picture(rgb, "first of several frames" if frames > 1 else converted, size)


def picture_of(image: Image) -> Picture:
    """Return a decoded image, of whatever mode, turned as its camera says.

    Raises
    ------
    BrokenImageError
        If it is of values that have no range.
    """
    from PIL import ImageOps

    return Picture(*_rgb(ImageOps.exif_transpose(image)), image.size)


def _rgb(image: Image) -> tuple[Image, str | None]:
    """Turn an image of any mode into RGB of 8 bits; say what it was if it was something else."""
    from PIL.Image import alpha_composite, new

    if image.mode == "RGB" and "transparency" not in image.info:
        return image.convert("RGB"), None
    if image.mode.startswith("I;16") or image.mode == "I":
        return _of_16_bits(image)
    if image.mode == "F":
        raise BrokenImageError("its values are floating-point numbers, of no known range")
    if image.mode in ("LA", "La", "RGBA", "RGBa", "PA") or "transparency" in image.info:
        above = image.convert("RGBA")
        if above.getextrema()[3] == (255, 255):  # type: ignore[index]
            return above.convert("RGB"), "grey" if image.mode in ("L", "LA") else None
        white = new("RGBA", above.size, "white")
        return alpha_composite(white, above).convert("RGB"), "transparent"
    named = {"L": "grey", "1": "grey", "P": "palette", "CMYK": "CMYK"}
    return image.convert("RGB"), named.get(image.mode, image.mode)


def _of_16_bits(image: Image) -> tuple[Image, str]:
    from PIL.Image import fromarray

    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise BrokenImageError(
            f"its values go from {values.min()} to {values.max()}; at most 16 bits are known"
        )
    levels = fromarray((values // 257).astype(np.uint8)).convert("RGB")
    return levels, DARK_16_BITS if values.max() < _DARK else "16 bits"
