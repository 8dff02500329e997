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
_SOF0, _RST0, _EOI, _SOS, _DRI = 0xC0, 0xD0, 0xD9, 0xDA, 0xDD
_LONGEST = 4096  # bytes of headers, some 600 as we write them


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
    found = _headers(content)
    if found is None:
        return content, 0
    frame, start, height = found
    count, first, last = -(-height // BLOCK), top // BLOCK, -(-bottom // BLOCK)
    if not 0 <= first < last <= count or last - first == count:
        return content, 0
    stops = start + np.flatnonzero(content[start:-1] == 0xFF)
    stops = stops[content[stops + 1] & 0xF8 == _RST0]
    if len(stops) != count - 1:
        return content, 0
    edges = [start, *(stops + 2).tolist(), len(content)]
    rows = min(height, BLOCK * last) - BLOCK * first
    part = np.concatenate([content[:start], content[edges[first] : edges[last]]])
    part[frame + 1], part[frame + 2] = rows >> 8, rows & 0xFF
    # Markers count from 0 to 7 and begin again; the last one becomes the end.
    own = stops[first : last - 1] + 1 - edges[first] + start
    part[own] = _RST0 + np.arange(len(own)) % 8
    part[-1] = _EOI
    return part, BLOCK * first


def _headers(content: np.ndarray) -> tuple[int, int, int] | None:
    """Return where a JPEG's frame and its pixels begin, and its height.

    None of one without a marker after each row of blocks, or with subsampled colours.
    """
    head = content[:_LONGEST].tobytes()
    at, frame, interval = 2, 0, 0
    while at + 4 <= len(head) and head[at] == 0xFF:
        kind, body, after = head[at + 1], at + 4, at + 2 + _number(head, at + 2)
        if kind == _SOF0:
            frame = body
        elif kind == _DRI:
            interval = _number(head, body)
        elif kind == _SOS:
            break
        at = after
    else:
        return None
    height, width, channels = _number(head, frame + 1), _number(head, frame + 3), head[frame + 5]
    factors = head[frame + 7 : frame + 6 + 3 * channels : 3]
    in_rows = interval == -(-width // BLOCK) and factors == b"\x11" * channels
    return (frame, after, height) if frame and in_rows else None


def _number(content: bytes, at: int) -> int:
    return int.from_bytes(content[at : at + 2], "big")
