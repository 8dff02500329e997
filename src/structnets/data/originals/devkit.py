"""The labels of ImageNet's validation images, from the development kit of ILSVRC 2012."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from structnets.data.originals.matlab import read_mat
from structnets.foreign.limits import ARRAY
from structnets.foreign.reading import unpack
from structnets.foreign.shown import shortened
from structnets.foreign.tar_archives import FAULTS, open_tar

_FOLDER = "ILSVRC2012_devkit_t12/data"
TRUTH = f"{_FOLDER}/ILSVRC2012_validation_ground_truth.txt"
META = f"{_FOLDER}/meta.mat"
_LARGEST = 1 << 26  # bytes of a member
_MD5 = "fa75699e90414af021442c21a62c3abf"


def validation_classes(path: Path, *, verify_checksum: bool = True) -> list[str]:
    """Return the class of every validation image, in the order of their numbers.

    Parameters
    ----------
    path : Path
        ``ILSVRC2012_devkit_t12.tar.gz``.
    verify_checksum : bool
        Compare it with the published checksum first: SciPy's reader of the table inside can
        crash on a file that was tampered with. Only for a made one is there a reason not to.

    Returns
    -------
    list of str
        WordNet ids, such as ``n01440764``; entry i belongs to image i + 1.

    Raises
    ------
    ValueError
        If the archive is not the published one, is damaged, lacks a file, or its numbers name
        no class.
    """
    content = path.read_bytes()
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if verify_checksum and found != _MD5:
        raise ValueError(f"{path} is not the published file: it has md5 {found}, expected {_MD5}")
    # All of it first: its checksum stands at its end.
    plain = io.BytesIO(unpack(io.BytesIO(content), path, ARRAY))
    try:
        with open_tar(plain) as archive:
            truth, meta = (_member(archive, name) for name in (TRUTH, META))
    except FAULTS as error:
        raise ValueError(
            f"{path} is damaged, or not the archive: {shortened(error)}; download it again"
        ) from error
    names = _synsets(meta, path)
    try:
        return [names[int(line)] for line in truth.decode("ascii").split()]
    except (ValueError, KeyError) as error:
        raise ValueError(f"{path}: {TRUTH} has an entry that is no class: {error}") from error


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    try:
        member = archive.getmember(name)
    except KeyError as error:
        raise ValueError(f"it lacks {name}") from error
    file = archive.extractfile(member) if member.isreg() else None
    if file is None or member.size > _LARGEST:
        raise ValueError(f"it holds {name} as something else than a small file")
    return file.read()


def _synsets(content: bytes, path: Path) -> dict[int, str]:
    """Return the WordNet id of each number in ``meta.mat``."""
    variables = read_mat(content, f"{path}: {META}")
    try:
        table = variables["synsets"].ravel()
        return {
            int(number.item()): str(wnid.item())
            for number, wnid in zip(table["ILSVRC2012_ID"], table["WNID"], strict=True)
        }
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"{path}: {META} is no table of classes: {error}") from error
