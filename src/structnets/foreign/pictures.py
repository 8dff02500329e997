"""Pictures of unknown origin: their size is known before they are decoded, and they are whole."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.foreign.limits import ARRAY, PICTURE, TooLargeError
from structnets.foreign.reading import read_whole
from structnets.foreign.shown import shortened

if TYPE_CHECKING:
    from PIL.Image import Image


_JPEG = b"\xff\xd8"


@contextlib.contextmanager
def checked_picture(content: bytes, formats: tuple[str, ...], name: object) -> Iterator[Image]:
    """Open a picture of a size that is allowed, to decode it in the block; raises as Pillow does.

    Parameters
    ----------
    content : bytes
        Of the file.
    formats : tuple of str
        Those it may have, as Pillow calls them.
    name : object
        What the error of its size calls it.
    """
    from PIL import Image

    with warnings.catch_warnings():
        # Pillow's own limit only warns at first; ours is checked before anything is decoded.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(content), formats=formats)
        width, height = picture.size
        PICTURE.check(name, width * height)
        # Decoding alone accepts a PNG that ends early or has a wrong checksum.
        if picture.format == "PNG":
            picture.verify()
            picture = Image.open(io.BytesIO(content), formats=("PNG",))
        yield picture


def open_picture(source: str | os.PathLike[str] | bytes, kind: str, name: object) -> Image:
    """Decode a picture whole.

    Parameters
    ----------
    source : path or bytes
        The file, or its content.
    kind : str
        Format as Pillow calls it: ``JPEG``, ``PNG``, ``PPM``.
    name : object
        What errors call it.

    Returns
    -------
    PIL.Image.Image
        Loaded, in the mode of the file.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not of that kind, is damaged or cut, or has more pixels than the limit.
    """
    from PIL import Image, UnidentifiedImageError

    if not isinstance(source, bytes):
        source = read_whole(Path(source), ARRAY)
    what = "JPEG" if kind == "JPEG" else f"{kind} image"
    try:
        with checked_picture(source, (kind,), name) as picture:
            picture.load()
            return picture
    except UnidentifiedImageError:
        if kind == "JPEG" and source.startswith(_JPEG):
            raise ValueError(
                f"{name} cannot be read as a JPEG: its header is damaged or cut off; copy or "
                "download it again"
            ) from None
        raise ValueError(
            f"{name} is no {what}: it is {kind_of(source)}; convert or download it again"
        ) from None
    except Image.DecompressionBombError as error:
        raise TooLargeError(PICTURE.refusal(name, "too many (Pillow says)")) from error
    except TooLargeError:
        raise
    # What a damaged file makes Pillow's readers raise is not documented.
    except Exception as error:
        raise ValueError(
            f"{name} cannot be read as a {what}: {shortened(error)}; copy or download it again"
        ) from error


def kind_of(content: bytes) -> str:
    """Name what a file is, as far as it can be told without decoding."""
    from PIL import Image

    if not content:
        return "an empty file"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content)) as image:
                return f"a {image.format}"
    # Any of Pillow's readers may look at it, and raise what it likes.
    except Exception:
        return f"a file that begins with {content[:4].hex(' ')}"
