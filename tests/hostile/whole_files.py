"""A small whole file for each reader, which fuzzing damages."""

from __future__ import annotations

import gzip
import io
import json
import pickle
from collections.abc import Callable

import numpy as np

from tests.hostile import archives, documents, own_files, pictures, tables, trained


def _pickle() -> tuple[bytes, str]:
    content = {b"data": np.zeros((2, 3), dtype=np.uint8), b"labels": [0, 1], b"names": [b"a"]}
    return pickle.dumps(content, protocol=2), "a.pkl"


def _tar() -> tuple[bytes, str]:
    return archives.tar_of(("n1/a.JPEG", b"x" * 600, {}), ("n1/" + "b" * 150, b"y", {})), "a.tar"


def _idx() -> tuple[bytes, str]:
    return archives.idx_of((2, 3), b"abcdef"), "a.idx"


def _gz() -> tuple[bytes, str]:
    return gzip.compress(_idx()[0], mtime=0), "a.gz"


def _png() -> tuple[bytes, str]:
    return pictures.png(3, 2, b"\0\1\2\3\0\4\5\6"), "a.png"


def _jpeg() -> tuple[bytes, str]:
    return pictures.jpeg(16, 16), "a.jpg"


def _npy() -> tuple[bytes, str]:
    stream = io.BytesIO()
    np.save(stream, np.full((3, 4), 0.5))
    return stream.getvalue(), "a.npy"


def _mat() -> tuple[bytes, str]:
    from scipy.io import savemat

    stream = io.BytesIO()
    cells = np.empty((1, 2), dtype=object)
    for column in range(2):
        cells[0, column] = {"Boundaries": np.eye(4, dtype=np.uint8)}
    savemat(stream, {"groundTruth": cells})
    return stream.getvalue(), "a.mat"


def _parquet() -> tuple[bytes, str]:
    from PIL import Image

    stream = io.BytesIO()
    Image.new("RGB", (32, 32), (9, 99, 199)).save(stream, "JPEG")
    pictures = tables.picture_column(stream.getvalue())
    return tables.parquet_of(image=pictures, label=tables.label_column(1))(), "a.parquet"


def _nifti() -> tuple[bytes, str]:
    import nibabel

    data = np.arange(20 * 24 * 22, dtype=np.int16).reshape(20, 24, 22)
    image = nibabel.Nifti1Image(data, np.diag([6.0, 6, 6, 1]))
    image.header.set_xyzt_units("mm")
    return image.to_bytes(), "a.nii"


def _flirt() -> tuple[bytes, str]:
    return b"1 0 0 3\n0 1 0 4\n0 0 1 5\n0 0 0 1\n", "a.mat"


def _yaml() -> tuple[bytes, str]:
    from tests.unit.made_table import EXPERIMENT

    return json.dumps(EXPERIMENT, indent=1).encode(), "a.yaml"


def _spec() -> tuple[bytes, str]:
    return documents.spec().encode(), "a.json"


def _weights() -> tuple[bytes, str]:
    return trained.weights(), "model.pt"


def _result() -> tuple[bytes, str]:
    content = trained.result()
    return json.dumps(content).encode(), f"{content['run_id']}/result.json"


def _ledger() -> tuple[bytes, str]:
    return f"{trained.ledger_line()}\n".encode(), "chapter3.jsonl"


WHOLE: dict[str, Callable[[], tuple[bytes, str]]] = {
    "pickle": _pickle,
    "tar": _tar,
    "gz": _gz,
    "idx": _idx,
    "png": _png,
    "jpeg": _jpeg,
    "npy": _npy,
    "mat": _mat,
    "parquet": _parquet,
    "nifti": _nifti,
    "flirt": _flirt,
    "yaml": _yaml,
    "json": _spec,
    "spec": _spec,
    "weights": _weights,
    "result": _result,
    "ledger": _ledger,
    "lock": lambda: (json.dumps(trained.CLAIM).encode(), "000001.json"),
    "photo": lambda: (own_files.saved("TIFF", compression="tiff_lzw"), "a.tif"),
    "gif": lambda: (own_files.saved("GIF"), "a.gif"),
    "webp": lambda: (own_files.saved("WEBP"), "a.webp"),
    "bmp": lambda: (own_files.saved("BMP"), "a.bmp"),
    "participants": lambda: (b"participant_id\tgroup\nsub-01\tx\nsub-02\ty\n", "a.tsv"),
    "study": lambda: (own_files.STUDY.encode(), "a.yaml"),
    "marker": lambda: (json.dumps(trained.MARKER).encode(), "warm.json"),
}
