"""Writing images as ImageNet's archives: for a data set in that layout, and for tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from structnets.data.originals.devkit import META, TRUTH
from structnets.data.sets.imagenet import DEVKIT, TRAIN_TAR, VAL_TAR

Classes = Mapping[str, Mapping[str, bytes]]


def write_archives(folder: Path, train: Classes, val: Classes) -> None:
    """Write the three archives of ILSVRC 2012.

    Parameters
    ----------
    folder : Path
        Made if need be.
    train, val : mapping
        By WordNet id: JPEG files by name. Validation images are renamed and numbered, so that
        neighbours are of different classes, as in the original.
    """
    folder.mkdir(parents=True, exist_ok=True)
    inner = {f"{wnid}.tar": tar_bytes(files) for wnid, files in train.items()}
    (folder / TRAIN_TAR).write_bytes(tar_bytes(inner))
    images = [(wnid, content) for wnid, files in val.items() for content in files.values()]
    images = images[::2] + images[1::2]
    numbered = {
        f"ILSVRC2012_val_{number:08d}.JPEG": content
        for number, (_, content) in enumerate(images, 1)
    }
    (folder / VAL_TAR).write_bytes(tar_bytes(numbered))
    write_devkit(folder, sorted(val), [wnid for wnid, _ in images])


def write_devkit(folder: Path, wnids: Sequence[str], truth: Sequence[str]) -> None:
    """Write the development kit.

    Parameters
    ----------
    folder : Path
        Where it goes.
    wnids : sequence of str
        All classes. Their numbers do not follow the order of their ids, as in the original.
    truth : sequence of str
        The class of each validation image.
    """
    from scipy.io import savemat

    number = {wnid: len(wnids) - place for place, wnid in enumerate(wnids)}
    kinds: Any = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O")]
    table = np.array([(number[wnid], wnid, "a thing") for wnid in wnids], dtype=kinds)
    stream = io.BytesIO()
    savemat(stream, {"synsets": table.reshape(-1, 1)})
    lines = "".join(f"{number[wnid]}\n" for wnid in truth).encode()
    members = {TRUTH: lines, META: stream.getvalue()}
    (folder / DEVKIT).write_bytes(tar_bytes(members, "w:gz"))


def tar_bytes(files: Mapping[str, bytes], mode: Literal["w", "w:gz"] = "w") -> bytes:
    """Return a tar archive of some files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()
