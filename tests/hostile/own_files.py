"""Makers of hostile files as somebody's own pictures, tables and studies may hold them."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from tests.hostile.documents import alias_bomb
from tests.hostile.files import FILES
from tests.hostile.making import NESTED, Maker, of_bytes, of_text
from tests.hostile.pictures import chunk, jpeg, png


def _with_chunk(kind: bytes, content: bytes) -> bytes:
    whole = png(3, 2, b"\0\1\2\3\0\4\5\6")
    end = whole.index(b"IDAT") - 4
    return whole[:end] + chunk(kind, content) + whole[end:]


def _packed_zeros() -> bytes:
    return zlib.compress(bytes(1 << 28))


def tiff(width: int, height: int, pixels: bytes, next_place: int = 0, pack: int = 1) -> bytes:
    """Content of a grey TIFF that may declare more than it holds, or a next page that is none."""
    place = 8 + len(pixels)
    entries = [
        *((256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, pack), (262, 3, 1), (273, 4, 8)),
        *((277, 3, 1), (278, 4, height), (279, 4, len(pixels))),
    ]
    content = b"II*\0" + struct.pack("<I", place) + pixels + struct.pack("<H", len(entries))
    content += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return content + struct.pack("<I", next_place)


def _gif(width: int, height: int) -> bytes:
    size = struct.pack("<HH", width, height)
    frame = b"\x2c" + bytes(4) + size + b"\0\2\2\x44\1\0"
    return b"GIF89a" + size + b"\x80\0\0\0\0\0\xff\xff\xff" + frame + b";"


def _bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def saved(kind: str, **options: Any) -> bytes:
    """Content of a small picture in a format of Pillow's."""
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (16, 12), (9, 99, 199)).save(stream, kind, **options)
    return stream.getvalue()


def _floats() -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("F", (4, 4), float("nan")).save(stream, "TIFF")
    return stream.getvalue()


PHOTOS = {
    "PNG: a text of 256 MB": of_bytes(
        "a.png", lambda: _with_chunk(b"zTXt", b"a\0\0" + _packed_zeros())
    ),
    "PNG: a profile of 256 MB": of_bytes(
        "a.png", lambda: _with_chunk(b"iCCP", b"a\0\0" + _packed_zeros())
    ),
    "PNG: 60,000 squared": of_bytes("a.png", lambda: png(60_000, 60_000)),
    "TIFF: 60,000 squared": of_bytes("a.tif", lambda: tiff(60_000, 60_000, b"x")),
    "TIFF: packed, 12,000 squared": of_bytes(
        "a.tif", lambda: tiff(12_000, 12_000, _packed_zeros(), pack=8)
    ),
    "TIFF: fewer pixels than declared": of_bytes("a.tif", lambda: tiff(900, 900, b"x" * 64)),
    "TIFF: numbers that are none": of_bytes("a.tif", _floats),
    "GIF: 65,535 squared": of_bytes("a.gif", lambda: _gif(65_535, 65_535)),
    "BMP: 2^60 pixels": of_bytes("a.bmp", lambda: _bmp(1 << 30, 1 << 30)),
    "PPM: 60,000 squared": of_bytes("a.ppm", b"P6 60000 60000 255\nx"),
    "PPM: a number without end": of_bytes("a.ppm", lambda: b"P3 " + b"1" * 10_000_000),
    "WebP: cut": of_bytes("a.webp", lambda: saved("WEBP")[:-20]),
    "a program": of_bytes("a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "a drawing": of_bytes("a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "nothing": of_bytes("a.jpg", b""),
}


def _table(text: str | bytes) -> Maker:
    """Write a table beside the picture that it names."""

    def make(folder: Any) -> Any:
        path = of_bytes("a.csv", text if isinstance(text, bytes) else text.encode())(folder)
        (folder / "a.jpg").write_bytes(jpeg())
        return path

    return make


TABLES = {
    "a stray quote": _table('path,label\n"a.jpg,x\n'),
    "a cell too many": _table("path,label\na.jpg,x,y\n"),
    "no label": _table("path,label\na.jpg,\n"),
    "a picture twice": _table("path,label\na.jpg,x\n./a.jpg,y\n"),
    "a device": _table("path,label\n/dev/zero,x\n"),
    "a picture that is not there": _table("path,label\nb.jpg,x\n"),
    "a letter that is none": _table(b"path,label\na.jpg,\xff\xfe\n"),
    "zeros": _table(bytes(1000)),
    "a cell of 10 MB": _table(f"path,label\na.jpg,{'x' * 10_000_000}\n"),
    "a million columns": _table(f"path,label{',x' * 1_000_000}\n"),
    "no column": _table("file,class\na.jpg,x\n"),
    "letters that steer": _table("path,label\n\x1b[2Ja.jpg,x\n"),
    "nothing": _table(""),
}
PARTICIPANTS = {
    "a stray quote": of_text("a.tsv", 'participant_id\tgroup\n"sub-01\tx\n'),
    "a cell too few": of_text("a.tsv", "participant_id\tgroup\nsub-01\n"),
    "two groups of one": of_text("a.tsv", "participant_id\tgroup\nsub-01\tx\nsub-01\ty\n"),
    "a column twice": of_text("a.tsv", "participant_id\tgroup\tgroup\nsub-01\tx\ty\n"),
    "a letter that is none": of_bytes("a.tsv", b"participant_id\tgroup\nsub-01\t\xff\n"),
    "a cell of 10 MB": of_text("a.tsv", f"participant_id\tgroup\nsub-01\t{'x' * 10_000_000}\n"),
    "no column": of_text("a.tsv", "id\tclass\nsub-01\tx\n"),
    "not fetched": of_bytes("a.tsv", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
    "nothing": of_text("a.tsv", ""),
}
STUDY = "study: mine\nimages: .\nrows: [{model: resnet20}]\n"
STUDIES = {
    "aliases without end": of_text("a.yaml", alias_bomb()),
    "100,000 lists": of_text("a.yaml", NESTED),
    "a call": of_text("a.yaml", f"{STUDY}seeds: !!python/object/apply:os.system ['id']\n"),
    "a name that leaves": of_text("a.yaml", STUDY.replace("mine", "../../mine")),
    "a name that steers": of_text("a.yaml", STUDY.replace("mine", r'"\e[2Jmine"')),
    "an unknown key": of_text("a.yaml", f"{STUDY}sedes: 3\n"),
    "a key twice": of_text("a.yaml", f"{STUDY}study: yours\n"),
    "a negative number of runs": of_text("a.yaml", f"{STUDY}seeds: -3\n"),
    "a size without end": of_text("a.yaml", f"{STUDY}train_sizes: [.inf]\n"),
    "a size below one": of_text("a.yaml", f"{STUDY}train_sizes: [-5]\n"),
    "no rows": of_text("a.yaml", STUDY.replace("[{model: resnet20}]", "[]")),
    "a list": of_text("a.yaml", "[1, 2]"),
    "nothing": of_text("a.yaml", ""),
}
ALL_FILES = {
    **FILES,
    "photo": PHOTOS,
    "table": TABLES,
    "participants": PARTICIPANTS,
    "study": STUDIES,
}
