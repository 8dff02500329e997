"""Hostile PNG and JPEG files."""

from __future__ import annotations

import io
import struct
import zlib

from tests.hostile.archives import zlib_bomb
from tests.hostile.making import of_bytes


def chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes = b"", colour: int = 0) -> bytes:
    """Content of a PNG that may declare more than it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def jpeg(width: int = 8, height: int = 8) -> bytes:
    """Content of a grey JPEG."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("L", (width, height), 99).save(stream, "JPEG")
    return stream.getvalue()


def _declared(width: int, height: int) -> bytes:
    content = bytearray(jpeg())
    place = content.index(b"\xff\xc0") + 5
    content[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(content)


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :]


PNGS = {
    "60,000 by 60,000 declared": of_bytes("a.png", png(60_000, 60_000)),
    "20,000 by 20,000 of zeros": of_bytes("a.png", lambda: png(20_000, 20_000, bytes(1 << 26))),
    "no rows": of_bytes("a.png", png(8, 8)),
    "a wrong checksum": of_bytes("a.png", flipped(png(2, 1, b"\0\1\2"), 20)),
    "colours": of_bytes("a.png", png(1, 1, b"\0\1\2\3", colour=2)),
    "a text that unpacks": of_bytes(
        "a.png",
        lambda: png(2, 1, b"\0\1\2").replace(
            b"\0\0\0\x0bIDAT", chunk(b"zTXt", b"a\0\0" + zlib_bomb()) + b"\0\0\0\x0bIDAT"
        ),
    ),
    "cut": of_bytes("a.png", png(2, 1, b"\0\1\2")[:-9]),
    "nothing": of_bytes("a.png", b""),
}
JPEGS = {
    "1 by 65,000": of_bytes("a.jpg", lambda: jpeg(1, 65_000)),
    "65,000 by 65,000 declared": of_bytes("a.jpg", lambda: _declared(65_000, 65_000)),
    "a PNG of 60,000 by 60,000": of_bytes("a.jpg", png(60_000, 60_000)),
    "cut": of_bytes("a.jpg", lambda: jpeg(64, 64)[:-20]),
    "no picture": of_bytes("a.jpg", b"GIF89a" + bytes(100)),
    "nothing": of_bytes("a.jpg", b""),
}
