"""Makers of hostile and damaged files, by reader: each writes one file and returns its path.

No such file is committed: each is made when a test asks for it, most within a few milliseconds.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import struct
import tarfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Maker = Callable[[Path], Path]
SPEC = {
    "chapter": 3,
    "preset": "smoke",
    "seed": 0,
    "model": {"name": "cnn_b", "options": {"kernel_sizes": [3, 3, 3]}},
    "data": {"name": "mnist", "train_size": 20},
    "recipe": {"optimizer": {"name": "adam", "lr": 0.01}, "epochs": 3, "batch_size": 5},
}
NESTED = "[" * 100_000 + "]" * 100_000


def _bytes(name: str, content: bytes | Callable[[], bytes]) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


def _text(name: str, text: str) -> Maker:
    return _bytes(name, text.encode())


# Pickle -------------------------------------------------------------------------------------------
class _Call:
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
    "a call": _bytes("a.pkl", lambda: pickle.dumps(_Call())),
    "a repr of 4 GB": _bytes("a.pkl", lambda: _dtype_of(_doubled(26))),
    "a far place in the memo": _bytes("a.pkl", b"\x80\x02Nr\xff\xff\xff\x7f."),
    "a long string": _bytes("a.pkl", b"\x80\x04\x8d" + struct.pack("<Q", 1 << 40) + b"x."),
    "nested": _bytes("a.pkl", b"(" * 100_000 + b"t" * 100_000 + b"."),
    "cut": _bytes("a.pkl", lambda: pickle.dumps({"data": b"x" * 1000})[:500]),
    "nothing": _bytes("a.pkl", b""),
}


# Archives -----------------------------------------------------------------------------------------
def _tar(*members: tuple[str, bytes, dict[str, Any]]) -> bytes:
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
    content = bytearray(_tar(("a.JPEG", b"x" * 600, {}), ("b.JPEG", b"y" * 600, {})))
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
    return _tar(
        ("pax", records, {"type": tarfile.XHDTYPE}),
        ("a.JPEG", b"x" * 10, {}),
    )


TARS = {
    "a member of negative size": _bytes("a.tar", lambda: _with_size(-1024)),
    "a folder of negative size": _bytes("a.tar", lambda: _with_size(-1536, b"5")),
    "a name of negative size": _bytes("a.tar", lambda: _with_size(-1536, b"L")),
    "a member of 8 EB": _bytes("a.tar", lambda: _with_size(1 << 63)),
    "a name of 8 GB": _bytes("a.tar", lambda: _with_size(1 << 33, b"L")),
    "a sparse member": _bytes("a.tar", lambda: _with_size(512, b"S")),
    "a header of negative size": _bytes("a.tar", lambda: _extended(b"14 size=-1536\n")),
    "a header of digits": _bytes("a.tar", lambda: _extended(b"1" * 4_000_000)),
    "a name that leaves": _bytes("a.tar", lambda: _tar(("../a", b"x", {}))),
    "a link": _bytes("a.tar", lambda: _tar(("a", b"", {"type": b"2", "linkname": "/etc"}))),
    "compressed": _bytes("a.tar", lambda: gzip.compress(_tar(("a", b"x", {})))),
    "cut": _bytes("a.tar", lambda: _tar(("a.JPEG", b"x" * 6000, {}))[:3000]),
    "nothing": _bytes("a.tar", b""),
}


def _deflated_zeros(pieces: int) -> bytes:
    """16 MB of zeros per piece, packed once and repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    piece = packer.compress(bytes(1 << 24)) + packer.flush(zlib.Z_FULL_FLUSH)
    return piece * pieces + packer.flush()


def _gzip_bomb() -> bytes:
    tail = struct.pack("<II", 0, 1 << 30)  # nobody gets as far as the checksum
    return b"\x1f\x8b\x08" + bytes(6) + b"\xff" + _deflated_zeros(64) + tail


def _zlib_bomb() -> bytes:
    return b"\x78\xda" + _deflated_zeros(64) + bytes(4)


def _wrong_checksum() -> bytes:
    content = bytearray(gzip.compress(_idx((3,), b"abc"), mtime=0))
    content[-8] ^= 1
    return bytes(content)


def _idx(shape: tuple[int, ...], values: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + values


GZIPS = {
    "a bomb of 1 GB": _bytes("a.gz", _gzip_bomb),
    "a wrong checksum": _bytes("a.gz", _wrong_checksum),
    "cut": _bytes("a.gz", lambda: gzip.compress(_idx((3,), b"abc"))[:-5]),
    "a page": _bytes("a.gz", b"<html>please log in</html>"),
    "nothing": _bytes("a.gz", b""),
}
IDXS = {
    "4 EB declared": _bytes("a.idx", _idx((1 << 31, 1 << 31), b"x")),
    "255 dimensions": _bytes("a.idx", _idx((1,) * 255, b"xy")),
    "255 dimensions that overflow": _bytes("a.idx", _idx((1 << 31,) * 255, b"xy")),
    "too few values": _bytes("a.idx", _idx((2, 28, 28), b"x")),
    "too many values": _bytes("a.idx", _idx((2,), b"abc")),
    "an unknown type": _bytes("a.idx", b"\0\0\x77\1\0\0\0\1a"),
    "nothing": _bytes("a.idx", b""),
}


# Pictures -----------------------------------------------------------------------------------------
def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, rows: bytes = b"", colour: int = 0) -> bytes:
    """Content of a PNG that may declare more than it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = [_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")]
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


def _flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :]


PNGS = {
    "60,000 by 60,000 declared": _bytes("a.png", png(60_000, 60_000)),
    "20,000 by 20,000 of zeros": _bytes("a.png", lambda: png(20_000, 20_000, bytes(1 << 26))),
    "no rows": _bytes("a.png", png(8, 8)),
    "a wrong checksum": _bytes("a.png", _flipped(png(2, 1, b"\0\1\2"), 20)),
    "colours": _bytes("a.png", png(1, 1, b"\0\1\2\3", colour=2)),
    "a text that unpacks": _bytes(
        "a.png",
        lambda: png(2, 1, b"\0\1\2").replace(
            b"\0\0\0\x0bIDAT", _chunk(b"zTXt", b"a\0\0" + _zlib_bomb()) + b"\0\0\0\x0bIDAT"
        ),
    ),
    "cut": _bytes("a.png", png(2, 1, b"\0\1\2")[:-9]),
    "nothing": _bytes("a.png", b""),
}
JPEGS = {
    "1 by 65,000": _bytes("a.jpg", lambda: jpeg(1, 65_000)),
    "65,000 by 65,000 declared": _bytes("a.jpg", lambda: _declared(65_000, 65_000)),
    "a PNG of 60,000 by 60,000": _bytes("a.jpg", png(60_000, 60_000)),
    "cut": _bytes("a.jpg", lambda: jpeg(64, 64)[:-20]),
    "no picture": _bytes("a.jpg", b"GIF89a" + bytes(100)),
    "nothing": _bytes("a.jpg", b""),
}


# Arrays and tables --------------------------------------------------------------------------------
def npy(header: str, values: bytes = b"") -> bytes:
    """Content of an array file with any header."""
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + values


def _objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([_Call()], dtype=object), allow_pickle=True)
    return stream.getvalue()


_F8 = "{'descr': '<f8', 'fortran_order': False, 'shape': %s}"
NPYS = {
    "8 TB declared": _bytes("a.npy", npy(_F8 % "(1000000, 1000000)")),
    "a negative shape": _bytes("a.npy", npy(_F8 % "(-1, 4)", bytes(32))),
    "a shape that overflows": _bytes("a.npy", npy(_F8 % "(4294967296, 4294967296, 4)", bytes(32))),
    "objects": _bytes("a.npy", _objects),
    "a nested header": _bytes("a.npy", npy("(" * 5000 + ")" * 5000)),
    "a header of another kind": _bytes("a.npy", npy("[1, 2")),
    "NaN": _bytes("a.npy", npy(_F8 % "(1, 2)", struct.pack("<2d", float("nan"), 0.5))),
    "cut": _bytes("a.npy", npy(_F8 % "(4, 4)", bytes(100))),
    "nothing": _bytes("a.npy", b""),
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
    "40,000 by 40,000 cells": _bytes("a.mat", mat(1, (40_000, 40_000))),
    "40,000 by 40,000 structures": _bytes(
        "a.mat", mat(2, (40_000, 40_000), _element(5, struct.pack("<i", 8)) + _element(1, b"a" * 8))
    ),
    "packed, 40,000 by 40,000 cells": _bytes("a.mat", _packed_mat(mat(1, (40_000, 40_000)))),
    "a negative shape": _bytes("a.mat", mat(1, (-4, 4))),
    "a field name of no length": _bytes(
        "a.mat", mat(2, (1, 1), _element(5, struct.pack("<i", 0)) + _element(1, b"ab"))
    ),
    "a field name of negative length": _bytes(
        "a.mat", mat(2, (1, 1), _element(5, struct.pack("<i", -8)) + _element(1, b"a" * 16))
    ),
    "nested cells": _bytes("a.mat", lambda: _nested_cells(3000)),
    "a sparse matrix out of its place": _bytes(
        "a.mat",
        mat(
            5,
            (1 << 30, 1 << 30),
            _element(5, struct.pack("<3i", -5, 1 << 30, 7)) + _element(5, struct.pack("<2i", 0, 9)),
        ),
    ),
    "an opaque object": _bytes("a.mat", mat(17, (1, 1), bytes(24))),
    "1 GB of zeros": _bytes("a.mat", lambda: mat(6, (1, 1))[:128] + _element(15, _zlib_bomb())),
    "version 7.3": _bytes(
        "a.mat", b"MATLAB 7.3 MAT-file".ljust(124) + struct.pack("<H", 0x0200) + b"IM"
    ),
    "nothing": _bytes("a.mat", b""),
}


def _nested_cells(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        head = _element(6, struct.pack("<II", 1, 0)) + _element(5, struct.pack("<ii", 1, 1))
        content = _element(14, head + _element(1, b"") + content)
    return mat(1, (1, 1))[:128] + content


def _parquet(**columns: Any) -> Callable[[], bytes]:
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


def _labels(count: int, kind: str = "int64") -> Callable[[], Any]:
    return lambda: np.zeros(count, dtype=kind)


def _pictures(content: Any) -> Callable[[], Any]:
    return lambda: [{"bytes": content, "path": ""}]


PARQUETS = {
    "1.6 GB of zeros": _bytes("a.parquet", _table_bomb),
    "no picture": _bytes("a.parquet", _parquet(image=_pictures(b"x"), label=_labels(1))),
    "a large picture": _bytes(
        "a.parquet", _parquet(image=_pictures(png(60_000, 60_000)), label=_labels(1))
    ),
    "labels of another type": _bytes(
        "a.parquet", _parquet(image=_pictures(jpeg()), label=_labels(1, "float64"))
    ),
    "a column of another type": _bytes("a.parquet", _parquet(image=_labels(1), label=_labels(1))),
    "no column": _bytes("a.parquet", _parquet(other=_labels(1))),
    "a damaged footer": _bytes(
        "a.parquet", lambda: _flipped(_parquet(image=_pictures(b"x"), label=_labels(1))(), -40)
    ),
    "cut": _bytes("a.parquet", lambda: _parquet(image=_pictures(b"x"), label=_labels(1))()[:-9]),
    "nothing": _bytes("a.parquet", b""),
}


# Scans --------------------------------------------------------------------------------------------
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
    "2,400 cubed in 400 bytes": _bytes("a.nii", lambda: nifti((2400, 2400, 2400), bytes(48))),
    "a negative axis": _bytes("a.nii", lambda: nifti((-2, 2, 2))),
    "32,767 in seven axes": _bytes("a.nii", lambda: nifti((32767,) * 7)),
    "a data type that is none": _bytes("a.nii", lambda: nifti(datatype=7)),
    "an offset before the file": _bytes("a.nii", lambda: nifti(vox_offset=-1e30)),
    "an offset that is NaN": _bytes("a.nii", lambda: nifti(vox_offset=float("nan"))),
    "a slope that is NaN": _bytes("a.nii", lambda: nifti(scl_slope=float("inf"))),
    "an affine of NaN": _bytes("a.nii", lambda: nifti(srow_x=[float("nan")] * 4)),
    "a unit that is none": _bytes("a.nii", lambda: nifti(xyzt_units=7)),
    "packed, a bomb": _bytes("a.nii.gz", _gzip_bomb),
    "packed, a wrong checksum": _bytes("a.nii.gz", lambda: _flipped(gzip.compress(nifti()), -8)),
    "packed, cut": _bytes("a.nii.gz", lambda: gzip.compress(nifti())[:-9]),
    "no scan": _bytes("a.nii", b"x" * 400),
    "nothing": _bytes("a.nii", b""),
}
MATRICES = {
    "words": _text("a.mat", "one two"),
    "NaN": _text("a.mat", "nan " * 16),
    "singular": _text("a.mat", "0 " * 16),
    "a number of 4,000 digits": _text("a.mat", "1" * 4000 + " 0" * 15),
    "binary": _bytes("a.mat", bytes(range(256))),
    "very long": _bytes("a.mat", lambda: b"1 " * (1 << 24)),
    "nothing": _text("a.mat", ""),
}


# Documents ----------------------------------------------------------------------------------------
def _alias_bomb() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    return "\n".join(lines)


def _merge_bomb() -> str:
    lines = ["a0: &a0 {x: 1, y: 2}"]
    lines += [f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}" for n in range(1, 40)]
    return "\n".join(lines)


YAMLS = {
    "a key twice": _text("a.yaml", "chapter: 3\nchapter: 4"),
    "merges that expand": _text("a.yaml", _merge_bomb()),
    "a merge of itself": _text("a.yaml", "&a {<<: *a}"),
    "a key that clears the screen": _text("a.yaml", '"\\e[2J\\nchapter": 1'),
    "10,000 unknown keys": _text("a.yaml", "\n".join(f"k{n}: 1" for n in range(10_000))),
    "aliases that expand": _text("a.yaml", _alias_bomb()),
    "an alias of itself": _text("a.yaml", "&a [*a]"),
    "nested lists": _text("a.yaml", NESTED),
    "nested mappings": _text("a.yaml", "\n".join(" " * n + "a:" for n in range(3000))),
    "a call": _text("a.yaml", "!!python/object/apply:eval ['1 + 1']"),
    "a date that is none": _text("a.yaml", "2024-99-99"),
    "no text": _bytes("a.yaml", b"\xff\xfe\xff"),
    "300 MB": _bytes("a.yaml", lambda: b"# " + b"x" * (300 << 20)),
    "an unknown key": _text("a.yaml", "nonsense: 1"),
    "nothing": _text("a.yaml", ""),
}
JSONS = {
    "100,000 nested lists": _text("a.json", NESTED),
    "NaN": _text("a.json", '{"lr": NaN}'),
    "a key twice": _text("a.json", '{"lr": 1, "lr": 2}'),
    "16 bits a letter": _bytes("a.json", lambda: '{"lr": 1}'.encode("utf-16")),
    "NUL": _bytes("a.json", bytes(100)),
    "a number of 10,000 digits": _text("a.json", "1" * 10_000),
    "no text": _bytes("a.json", b"\xff\xfe"),
    "300 MB": _bytes("a.json", lambda: b'"' + b"x" * (300 << 20) + b'"'),
    "cut": _text("a.json", '{"a": '),
    "nothing": _text("a.json", ""),
}


def spec(**changes: Any) -> str:
    """JSON of a spec with some keys changed, ``recipe__epochs`` for a key within."""
    content = json.loads(json.dumps(SPEC))
    for key, value in changes.items():
        place, *rest = key.split("__")
        node = content
        while rest:
            node, place, *rest = node.setdefault(place, {}), *rest
        node[place] = value
    return json.dumps(content)


SPECS = {
    "a rate of infinity": _text("a.json", spec(recipe__optimizer__lr=float("inf"))),
    "a rate of 1e400": _text("a.json", spec(recipe__optimizer__lr="X").replace('"X"', "1e400")),
    "a negative rate": _text("a.json", spec(recipe__optimizer__lr=-1)),
    "a negative batch": _text("a.json", spec(recipe__batch_size=-5)),
    "10^30 epochs": _text("a.json", spec(recipe__epochs=10**30)),
    "a batch of 10^12": _text("a.json", spec(recipe__batch_size=10**12)),
    "a negative seed": _text("a.json", spec(seed=-1)),
    "a seed of 10^40": _text("a.json", spec(seed=10**40)),
    "betas above 1": _text("a.json", spec(recipe__optimizer__betas=[2.0, -1.0])),
    "a shift of 10^9": _text("a.json", spec(recipe__augmentation={"shift": 10**9})),
    "negative milestones": _text(
        "a.json", spec(recipe__schedule={"name": "step", "milestones": [-1]})
    ),
    "a kernel of 10^9": _text("a.json", spec(model__options={"kernel_sizes": [10**9, 3, 3]})),
    "a negative kernel": _text("a.json", spec(model__options={"kernel_sizes": [-3, 3, 3]})),
    "an option that is a list": _text("a.json", spec(model__options={"kernel_sizes": [[3]]})),
    "an unknown model": _text("a.json", spec(model__name="x" * 100_000)),
    "somebody's module": _text("a.json", spec(model__name="no_such_module_anywhere:Net")),
    "a key that clears the screen": _text("a.json", spec(**{"\x1b[2J\n\u202e": 1})),
    "10,000 unknown keys": _text("a.json", spec(**{f"k{n}": 1 for n in range(10_000)})),
    "a list": _text("a.json", "[]"),
    "nothing": _text("a.json", "{}"),
}


# What trainings leave -----------------------------------------------------------------------------
def weights(**content: Any) -> bytes:
    """Content of a ``model.pt``; see `structnets.training.run_files.publish`."""
    import torch

    stream = io.BytesIO()
    given = {"spec": SPEC, "state_dict": {"a": torch.ones(64)}, **content}
    torch.save({key: value for key, value in given.items() if value is not None}, stream)
    return stream.getvalue()


def _one_weight(value: Any) -> Callable[[], bytes]:
    import torch

    return lambda: weights(state_dict={"a": torch.tensor([value])})


def _tensor(make: Callable[[Any], Any]) -> bytes:
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch: sparse rows may change
        return weights(state_dict={"a": make(torch.ones(1))})


def _of_8_bits(tensor: Any) -> Any:
    import torch

    return tensor.to(torch.float8_e4m3fn)


def _altered(**content: Any) -> bytes:
    made = weights(**content)
    return _flipped(made, made.index(b"\0\0\x80\x3f\0\0\x80\x3f"))


def _zip_bomb() -> bytes:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(1 << 28))
    return stream.getvalue()


WEIGHTS = {
    "a call": _bytes("model.pt", lambda: weights(state_dict=_Call())),
    "NaN": _bytes("model.pt", lambda: _one_weight(float("nan"))()),
    "complex": _bytes("model.pt", lambda: _one_weight(1j)()),
    "a flipped bit": _bytes("model.pt", _altered),
    "another digest": _bytes("model.pt", lambda: weights(weights_digest="0" * 64)),
    "no weights": _bytes("model.pt", lambda: weights(state_dict=None)),
    "no spec": _bytes("model.pt", lambda: weights(spec=None)),
    "a pickle": _bytes("model.pt", lambda: pickle.dumps(_Call())),
    "packed zeros": _bytes("model.pt", _zip_bomb),
    "a shape of 4 TB": _bytes("model.pt", lambda: _tensor(lambda t: t.expand(10**6, 10**6))),
    "numbers that count, of 8 TB": _bytes(
        "model.pt", lambda: _tensor(lambda t: t.long().expand(10**6, 10**6))
    ),
    "sparse": _bytes("model.pt", lambda: _tensor(lambda t: t.to_sparse())),
    "sparse rows": _bytes("model.pt", lambda: _tensor(lambda t: t[None].to_sparse_csr())),
    "without values": _bytes("model.pt", lambda: _tensor(lambda t: t.to("meta"))),
    "of 8 bits": _bytes("model.pt", lambda: _tensor(_of_8_bits)),
    "cut": _bytes("model.pt", lambda: weights()[:-100]),
    "nothing": _bytes("model.pt", b""),
}


def result(**changes: Any) -> dict[str, Any]:
    """Content of a ``result.json``."""
    from tests.made_results import make_result

    return {**make_result(json.loads(spec(recipe__kind="gradient"))), **changes}


def _result(**changes: Any) -> Maker:
    def make(folder: Path) -> Path:
        place = folder / str(result()["run_id"])
        place.mkdir()
        return _text("result.json", json.dumps(result(**changes)))(place)

    return make


_SCRIPT = "<script>document.title='taken'</script>"
RESULTS = {
    "a script as a class of machines": _result(hardware={"class": _SCRIPT}),
    "a script as a run id": _result(run_id=_SCRIPT),
    "a metric that is text": _result(metrics={"accuracy": "90"}),
    "a metric of NaN": _result(metrics={"accuracy": float("nan")}),
    "another spec": _result(spec={**SPEC, "seed": 9}),
    "no spec": _result(spec=None),
    "a spec of lists": _result(spec={"model": [], "data": []}),
    "another digest": _result(spec_digest="0" * 64),
    "another folder": _bytes("result.json", lambda: json.dumps(result()).encode()),
    "nested lists": _text("result.json", NESTED),
    "nothing": _text("result.json", ""),
}


def _ledger(text: str) -> Maker:
    from structnets.reporting.ledger import ledger_line

    return _bytes(
        "chapter3.jsonl",
        lambda: f"{json.dumps(ledger_line(result()))}\n{text}\n".encode(),
    )


def _line(**changes: Any) -> str:
    from structnets.reporting.ledger import ledger_line

    return json.dumps({**ledger_line(result(seed=1)), **changes})


LEDGERS: dict[str, Maker] = {
    "a line that is cut": _ledger('{"run_id": '),
    "a line of nested lists": _ledger(NESTED),
    "a line of NaN": _ledger("NaN"),
    "a line that is a list": _ledger("[]"),
    "a line of other keys": _ledger('{"run_id": 1}'),
    "a line twice": _ledger(_line()),
    "a line of another run": _ledger(_line(run_id="a-b-full-s0-00000000")),
    "a script as a class of machines": _ledger(_line(hardware={"class": _SCRIPT})),
    "an empty line": _ledger(""),
    "no text": _bytes("chapter3.jsonl", b"\xff\xfe\n"),
}

# Claims and markers: what cannot be believed is passed over with a word, and nothing is ended.
_ME = {"host": "here", "pid": 1, "created": 0.0, "job": None}
CLAIMS = {
    "nested lists": _text("000001.json", NESTED),
    "a list": _text("000001.json", "[]"),
    "no process": _text("000001.json", json.dumps({**_ME, "pid": "me"})),
    "a process of number 10^30": _text("000001.json", json.dumps({**_ME, "pid": 10**30})),
    "options as a job": _text("000001.json", json.dumps({**_ME, "job": "--help"})),
    "300 MB": _bytes("000001.json", lambda: b" " * (300 << 20)),
    "nothing": _text("000001.json", ""),
}
_MARKER = {"pid": 1, "created": 0.0, "address": "1.2.3.4:5", "token": "x"}
MARKERS = {
    "nested lists": _text("warm.json", NESTED),
    "a list": _text("warm.json", "[]"),
    "a stranger's process": _text("warm.json", json.dumps(_MARKER)),
    "no process": _text("warm.json", json.dumps({**_MARKER, "pid": [1]})),
    "a negative process": _text("warm.json", json.dumps({**_MARKER, "pid": -1})),
    "no address": _text("warm.json", json.dumps({**_MARKER, "address": 5})),
    "nothing": _text("warm.json", ""),
}
ADDRESSES = {
    text: _text("address.txt", text)
    for text in (
        *("http://", "http://[", "http://[::1", "http://a b", "http://host:99999", "http://host:x"),
        *("http://me:secret@", "http://me:secret@[", "http://me:secret@h:1/x@y", "http://\u0130"),
        *("http://127.0.0.1:9", "http://" + "x" * 100_000, "http://127.0.0.1:9/\r\nHost: x"),
    )
}
FILES: dict[str, dict[str, Maker]] = {
    "pickle": PICKLES,
    "tar": TARS,
    "gz": GZIPS,
    "idx": IDXS,
    "png": PNGS,
    "jpeg": JPEGS,
    "npy": NPYS,
    "mat": MATS,
    "parquet": PARQUETS,
    "nifti": SCANS,
    "flirt": MATRICES,
    "yaml": YAMLS,
    "json": JSONS,
    "spec": SPECS,
    "weights": WEIGHTS,
    "result": RESULTS,
    "ledger": LEDGERS,
    "lock": CLAIMS,
    "marker": MARKERS,
    "address": ADDRESSES,
}
