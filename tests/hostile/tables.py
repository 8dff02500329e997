"""Hostile arrays, MATLAB files, tables of pictures, scans and matrices."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.hostile.archives import Call, gzip_bomb, zlib_bomb
from tests.hostile.making import of_bytes, of_text
from tests.hostile.pictures import flipped, jpeg, png


def npy(header: str, values: bytes = b"") -> bytes:
    """Content of an array file with any header."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + values


def _objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([Call()], dtype=object), allow_pickle=True)
    return stream.getvalue()


_F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}"
NPYS = {
    "8 TB declared": of_bytes("a.npy", npy(_F8 % "(1000000, 1000000)")),
    "a negative shape": of_bytes("a.npy", npy(_F8 % "(-1, 4)", bytes(32))),
    "a shape that overflows": of_bytes(
        "a.npy", npy(_F8 % "(4294967296, 4294967296, 4)", bytes(32))
    ),
    "objects": of_bytes("a.npy", _objects),
    "a nested header": of_bytes("a.npy", npy("(" * 5000 + ")" * 5000)),
    "a header of another kind": of_bytes("a.npy", npy("[1, 2")),
    "NaN": of_bytes("a.npy", npy(_F8 % "(1, 2)", struct.pack("<2d", float("nan"), 0.5))),
    "cut": of_bytes("a.npy", npy(_F8 % "(4, 4)", bytes(100))),
    "nothing": of_bytes("a.npy", b""),
}


def _element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def mat(
    class_: int, shape: tuple[int, int], values: bytes = b"", name: bytes = b"groundTruth"
) -> bytes:
    """Content of a MATLAB file with one variable that may declare more than it holds."""
    parts = _element(6, struct.pack("<II", class_, 0)) + _element(5, struct.pack("<ii", *shape))
    parts += _element(1, name) + values
    return (
        b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM" + _element(14, parts)
    )


def _packed_mat(content: bytes) -> bytes:
    return content[:128] + _element(15, zlib.compress(content[128:]))


MATS = {
    "40,000 by 40,000 cells": of_bytes("a.mat", mat(1, (40_000, 40_000))),
    "40,000 by 40,000 structures": of_bytes(
        "a.mat", mat(2, (40_000, 40_000), _element(5, struct.pack("<i", 8)) + _element(1, b"a" * 8))
    ),
    "packed, 40,000 by 40,000 cells": of_bytes("a.mat", _packed_mat(mat(1, (40_000, 40_000)))),
    "a negative shape": of_bytes("a.mat", mat(1, (-4, 4))),
    "a field name of no length": of_bytes(
        "a.mat", mat(2, (1, 1), _element(5, struct.pack("<i", 0)) + _element(1, b"ab"))
    ),
    "a field name of negative length": of_bytes(
        "a.mat", mat(2, (1, 1), _element(5, struct.pack("<i", -8)) + _element(1, b"a" * 16))
    ),
    "nested cells": of_bytes("a.mat", lambda: _nested_cells(3000)),
    "a sparse matrix out of its place": of_bytes(
        "a.mat",
        mat(
            5,
            (1 << 30, 1 << 30),
            _element(5, struct.pack("<3i", -5, 1 << 30, 7)) + _element(5, struct.pack("<2i", 0, 9)),
        ),
    ),
    "an opaque object": of_bytes("a.mat", mat(17, (1, 1), bytes(24))),
    "1 GB of zeros": of_bytes("a.mat", lambda: mat(6, (1, 1))[:128] + _element(15, zlib_bomb())),
    "version 7.3": of_bytes(
        "a.mat", b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM"
    ),
    "nothing": of_bytes("a.mat", b""),
}


def _nested_cells(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        head = _element(6, struct.pack("<II", 1, 0)) + _element(5, struct.pack("<ii", 1, 1))
        content = _element(14, head + _element(1, b"") + content)
    return mat(1, (1, 1))[:128] + content


def parquet_of(**columns: Any) -> Callable[[], bytes]:
    def make() -> bytes:
        import pyarrow as pa
        from pyarrow import parquet

        stream = io.BytesIO()
        table = pa.table({name: column() for name, column in columns.items()})
        parquet.write_table(table, stream, compression="zstd", row_group_size=len(table))
        return stream.getvalue()

    return make


def _table_bomb() -> bytes:
    """A hundred groups of one picture of 16 MB zeros: 1.6 GB in a file of some kB."""
    import pyarrow as pa
    from pyarrow import parquet

    stream = io.BytesIO()
    rows = pa.table({"image": [{"bytes": bytes(1 << 24), "path": ""}], "label": [0]})
    with parquet.ParquetWriter(
        stream, rows.schema, compression="zstd", use_dictionary=False, write_statistics=False
    ) as writer:
        for _ in range(100):
            writer.write_table(rows)
    return stream.getvalue()


def label_column(count: int, kind: str = "int64") -> Callable[[], Any]:
    return lambda: np.zeros(count, dtype=kind)


def picture_column(content: Any) -> Callable[[], Any]:
    return lambda: [{"bytes": content, "path": ""}]


PARQUETS = {
    "1.6 GB of zeros": of_bytes("a.parquet", _table_bomb),
    "no picture": of_bytes(
        "a.parquet", parquet_of(image=picture_column(b"x"), label=label_column(1))
    ),
    "a large picture": of_bytes(
        "a.parquet", parquet_of(image=picture_column(png(60_000, 60_000)), label=label_column(1))
    ),
    "labels of another type": of_bytes(
        "a.parquet", parquet_of(image=picture_column(jpeg()), label=label_column(1, "float64"))
    ),
    "a column of another type": of_bytes(
        "a.parquet", parquet_of(image=label_column(1), label=label_column(1))
    ),
    "no column": of_bytes("a.parquet", parquet_of(other=label_column(1))),
    "a damaged footer": of_bytes(
        "a.parquet",
        lambda: flipped(parquet_of(image=picture_column(b"x"), label=label_column(1))(), -40),
    ),
    "cut": of_bytes(
        "a.parquet", lambda: parquet_of(image=picture_column(b"x"), label=label_column(1))()[:-9]
    ),
    "nothing": of_bytes("a.parquet", b""),
}


def nifti(shape: tuple[int, ...] = (2, 2, 2), values: bytes = bytes(16), **header: Any) -> bytes:
    """Content of a NIfTI file that may declare more than it holds."""
    import nibabel

    image = nibabel.Nifti1Image(np.zeros((2, 2, 2), dtype=np.int16), np.diag([90.0, 90, 90, 1]))
    head = image.header.copy()
    head["vox_offset"] = 352
    head["dim"][: len(shape) + 1] = (len(shape), *shape)
    for key, value in header.items():
        head[key] = value
    return head.binaryblock + bytes(4) + values


SCANS = {
    "2,400 cubed in 400 bytes": of_bytes("a.nii", lambda: nifti((2400, 2400, 2400), bytes(48))),
    "a negative axis": of_bytes("a.nii", lambda: nifti((-2, 2, 2))),
    "32,767 in seven axes": of_bytes("a.nii", lambda: nifti((32767,) * 7)),
    "a data type that is none": of_bytes("a.nii", lambda: nifti(datatype=7)),
    "an offset before the file": of_bytes("a.nii", lambda: nifti(vox_offset=-1e30)),
    "an offset that is NaN": of_bytes("a.nii", lambda: nifti(vox_offset=float("nan"))),
    "a slope that is NaN": of_bytes("a.nii", lambda: nifti(scl_slope=float("inf"))),
    "an affine of NaN": of_bytes("a.nii", lambda: nifti(srow_x=[float("nan")] * 4)),
    "a unit that is none": of_bytes("a.nii", lambda: nifti(xyzt_units=7)),
    "packed, a bomb": of_bytes("a.nii.gz", gzip_bomb),
    "packed, a wrong checksum": of_bytes("a.nii.gz", lambda: flipped(gzip.compress(nifti()), -8)),
    "packed, cut": of_bytes("a.nii.gz", lambda: gzip.compress(nifti())[:-9]),
    "no scan": of_bytes("a.nii", b"x" * 400),
    "nothing": of_bytes("a.nii", b""),
}
MATRICES = {
    "words": of_text("a.mat", "one two"),
    "NaN": of_text("a.mat", "nan " * 16),
    "singular": of_text("a.mat", "0 " * 16),
    "a number of 4,000 digits": of_text("a.mat", "1" * 4000 + " 0" * 15),
    "binary": of_bytes("a.mat", bytes(range(256))),
    "very long": of_bytes("a.mat", lambda: b"1 " * (1 << 24)),
    "nothing": of_text("a.mat", ""),
}
