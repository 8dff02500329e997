"""Hostile pickles, archives, compressed files and idx files."""

from __future__ import annotations

import gzip
import io
import pickle
import struct
import tarfile
import zlib
from typing import Any

from tests.hostile.making import of_bytes


class Call:
    def __reduce__(self) -> tuple[Any, ...]:
        return eval, ("1 + 1",)


def _doubled(times: int) -> list[Any]:
    bomb: list[Any] = ["x" * 64]
    for _ in range(times):
        bomb = [bomb, bomb]
    return bomb


def _dtype_of(value: Any) -> bytes:
    """Pickle numpy.dtype(value), which an error message might want to show."""
    inner = pickle.dumps(value, protocol=2)[2:-1]
    return b"\x80\x02cnumpy\ndtype\n" + inner + b"\x85R."


PICKLES = {
    "a call": of_bytes("a.pkl", lambda: pickle.dumps(Call())),
    "a repr of 4 GB": of_bytes("a.pkl", lambda: _dtype_of(_doubled(26))),
    "a far place in the memo": of_bytes("a.pkl", b"\x80\x02Nr\xff\xff\xff\x7f."),
    "a long string": of_bytes("a.pkl", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x."),
    "nested": of_bytes("a.pkl", b"(" * 100_000 + b"t" * 100_000 + b"."),
    "cut": of_bytes("a.pkl", lambda: pickle.dumps({"data": b"x" * 1000})[:500]),
    "nothing": of_bytes("a.pkl", b""),
}


def tar_of(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content, more in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in more.items():
                setattr(member, key, value)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _with_size(size: int, kind: bytes = b"0") -> bytes:
    """An archive whose second header states a size that may be negative."""
    content = bytearray(tar_of(("a.JPEG", b"x" * 600, {}), ("b.JPEG", b"y" * 600, {})))
    start = 512 + 1024
    content[start + 124 : start + 136] = (
        size.to_bytes(12, "big", signed=True) if size < 0 else b"\x80" + size.to_bytes(11, "big")
    )
    content[start + 156 : start + 157] = kind
    content[start + 148 : start + 156] = b" " * 8
    total = sum(content[start : start + 512])
    content[start + 148 : start + 156] = f"{total:06o}\0 ".encode()
    return bytes(content)


def _extended(records: bytes) -> bytes:
    return tar_of(
        ("pax", records, {"type": tarfile.XHDTYPE}),
        ("a.JPEG", b"x" * 10, {}),
    )


TARS = {
    "a member of negative size": of_bytes("a.tar", lambda: _with_size(-1024)),
    "a folder of negative size": of_bytes("a.tar", lambda: _with_size(-1536, b"5")),
    "a name of negative size": of_bytes("a.tar", lambda: _with_size(-1536, b"L")),
    "a member of 8 EB": of_bytes("a.tar", lambda: _with_size(1 << 63)),
    "a name of 8 GB": of_bytes("a.tar", lambda: _with_size(1 << 33, b"L")),
    "a sparse member": of_bytes("a.tar", lambda: _with_size(512, b"S")),
    "a header of negative size": of_bytes("a.tar", lambda: _extended(b"14 size=-1536\n")),
    "a header of digits": of_bytes("a.tar", lambda: _extended(b"1" * 4_000_000)),
    "a name that leaves": of_bytes("a.tar", lambda: tar_of(("../a", b"x", {}))),
    "a link": of_bytes("a.tar", lambda: tar_of(("a", b"", {"type": b"2", "linkname": "/etc"}))),
    "compressed": of_bytes("a.tar", lambda: gzip.compress(tar_of(("a", b"x", {})))),
    "cut": of_bytes("a.tar", lambda: tar_of(("a.JPEG", b"x" * 6000, {}))[:3000]),
    "nothing": of_bytes("a.tar", b""),
}


def _deflated_zeros(pieces: int) -> bytes:
    """16 MB of zeros per piece, packed once and repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * pieces + packer.flush()


def gzip_bomb() -> bytes:
    tail = struct.pack("<II", 0, 1 << 30)  # nobody gets as far as the checksum
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + _deflated_zeros(64) + tail


def zlib_bomb() -> bytes:
    return b"\x78\xda" + _deflated_zeros(64) + bytes(4)


def _wrong_checksum() -> bytes:
    content = bytearray(gzip.compress(idx_of((3,), b"abc"), mtime=0))
    content[-8] ^= 1
    return bytes(content)


def idx_of(shape: tuple[int, ...], values: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


GZIPS = {
    "a bomb of 1 GB": of_bytes("a.gz", gzip_bomb),
    "a wrong checksum": of_bytes("a.gz", _wrong_checksum),
    "cut": of_bytes("a.gz", lambda: gzip.compress(idx_of((3,), b"abc"))[:-5]),
    "a page": of_bytes("a.gz", b"<html>please log in</html>"),
    "nothing": of_bytes("a.gz", b""),
}
IDXS = {
    "4 EB declared": of_bytes("a.idx", idx_of((1 << 31, 1 << 31), b"x")),
    "255 dimensions": of_bytes("a.idx", idx_of((1,) * 255, b"xy")),
    "255 dimensions that overflow": of_bytes("a.idx", idx_of((1 << 31,) * 255, b"xy")),
    "too few values": of_bytes("a.idx", idx_of((2, 28, 28), b"x")),
    "too many values": of_bytes("a.idx", idx_of((2,), b"abc")),
    "an unknown type": of_bytes("a.idx", b"\0\0\x77\1\0\0\0\1a"),
    "nothing": of_bytes("a.idx", b""),
}
