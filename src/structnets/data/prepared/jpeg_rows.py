"""JPEGs of which any rows can be decoded without those above and below.

A restart marker ends each row of blocks, 8 pixels high. From one marker to another the bytes need
nothing of what was before (ITU-T T.81, E.1.4), so that the rows asked for, under a header that
gives their height, are a JPEG themselves. Without subsampled colours a pixel depends on its block
alone: rows are the same to the bit, however many are decoded.
"""

from __future__ import annotations

import numpy as np

BLOCK = 8
"""Height in pixels of what ends with a marker."""
_SOF0, _SOS, _EOI, _RST0 = 0xC0, 0xDA, 0xD9, 0xD0


def decode_rows(content: np.ndarray, top: int, bottom: int) -> np.ndarray:
    """Decode rows `top` to `bottom` of a JPEG, of one without markers by decoding all.

    Parameters
    ----------
    content : numpy.ndarray
        (size,) uint8, as `structnets.data.originals.verified_image.encode` makes them;
        any other JPEG in RGB will do.
    top, bottom : int
        The first row, and the one after the last.

    Returns
    -------
    numpy.ndarray
        (bottom - top, W, 3) uint8, perhaps a view of more rows.

    Raises
    ------
    ValueError
        If it cannot be decoded.
    """
    from simplejpeg import decode_jpeg  # libjpeg-turbo, in two thirds of Pillow's time

    part, skipped = _cut(content, top, bottom)
    try:
        return decode_jpeg(part, "RGB")[top - skipped : bottom - skipped]
    except ValueError as error:
        raise ValueError(f"a damaged JPEG: {error}") from error


def _cut(content: np.ndarray, top: int, bottom: int) -> tuple[np.ndarray, int]:
    """Return a JPEG of the rows of blocks that hold these rows, and how many rows it begins at."""
    places = _headers(content)
    if places is None:
        return content, 0
    frame, start = places
    height = int(content[frame]) << 8 | int(content[frame + 1])
    stops = start + np.flatnonzero(content[start:-1] == 0xFF)
    stops = stops[content[stops + 1] & 0xF8 == _RST0]
    count = -(-height // BLOCK)
    first, last = top // BLOCK, -(-bottom // BLOCK)
    if len(stops) != count - 1 or not 0 <= first < last <= count or last - first == count:
        return content, 0
    edges = [start, *(stops + 2).tolist(), len(content)]
    rows = min(height, BLOCK * last) - BLOCK * first
    part = np.concatenate([content[:start], content[edges[first] : edges[last]]])
    part[frame], part[frame + 1] = rows >> 8, rows & 0xFF
    # Markers count from 0 to 7 and begin again; the last one becomes the end.
    own = stops[first : last - 1] + 1 - edges[first] + start
    part[own] = _RST0 + np.arange(len(own)) % 8
    part[-1] = _EOI
    return part, BLOCK * first


def _headers(content: np.ndarray) -> tuple[int, int] | None:
    """Return where a JPEG's height and its pixels begin; None of one that is made otherwise."""
    at, frame = 2, None
    while at + 4 <= len(content) and content[at] == 0xFF:
        kind = content[at + 1]
        after = at + 2 + (int(content[at + 2]) << 8 | int(content[at + 3]))
        if kind == _SOF0:
            frame = at + 5
        if kind == _SOS:
            return None if frame is None else (frame, after)
        at = after
    return None
