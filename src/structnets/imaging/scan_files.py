"""Bytes of a scan on disk: there at all, whole to its checksum, and of a bounded size."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from structnets.foreign import reading
from structnets.foreign.limits import SCAN
from structnets.foreign.shown import shortened

# Pointer files are a line or two of text; no scan is that small.
_LARGEST_POINTER = 1024
_ANNEX = b"annex/objects/"
_LFS = b"version https://git-lfs."
_NOTHING = os.devnull + "/none"
# Those formats of nibabel's in the order in which it asks them.
_FORMATS = (
    *("Nifti1Pair", "Nifti1Image", "Nifti2Pair", "Nifti2Image"),
    *("Spm2AnalyzeImage", "Spm99AnalyzeImage", "AnalyzeImage"),
)


def absence(path: Path) -> str | None:
    """Say why a listed file has no content here; None if it has.

    Data sets under git-annex or git-lfs hold links or pointers in place of files that were not
    fetched.
    """
    if path.is_symlink() and not path.exists():
        target = path.readlink()
        if _ANNEX in os.fsencode(target):
            return f"was not fetched: run `datalad get {path}` or `git annex get {path}`"
        return f"is a link to {target}, which does not exist"
    if not path.is_file():
        return "is missing"
    if path.stat().st_size > _LARGEST_POINTER:
        return None
    start = path.read_bytes()
    if start.startswith(b"/") and _ANNEX in start:
        return f"was not fetched: run `datalad get {path}` or `git annex get {path}`"
    if start.startswith(_LFS):
        return f"was not fetched: run `git lfs pull --include {path.name}`"
    return None


def header_problem(path: Path) -> str | None:
    """Say why a listed scan cannot be one, as far as its header tells; None if it may be.

    Only the first bytes are read: a file that is cut or damaged further on is not found so.
    """
    if reason := absence(path):
        return reason
    if not path.stat().st_size:
        return "is empty: it has no byte"
    try:
        kind = _format_of(path)
        files = kind.filespec_to_file_map(str(path))
        _read_header(kind, files.get("header", files["image"]).filename)
    # What a damaged header makes the parser raise is not documented: anything, in practice.
    except Exception as error:
        said = shortened(str(error).removeprefix(f"{path} ") or type(error).__name__)
        return said if said.startswith("is ") else f"has no readable header: {said}"
    return None


def _read_header(kind: Any, name: str) -> None:
    from nibabel.openers import ImageOpener

    with ImageOpener(name) as file:
        kind.header_class.from_fileobj(file)


def read_whole(path: Path) -> bytes:
    """Read a file to its end, a ``.gz`` one unpacked and compared with its checksum.

    Raises
    ------
    FileNotFoundError
        If there is no such file, or it was not fetched.
    ValueError
        If it is damaged or cut, or has more bytes than
        `structnets.foreign.limits.SCAN`.
    """
    if reason := absence(path):
        raise FileNotFoundError(f"{path} {reason}")
    return reading.read_whole(path, SCAN)


def check_declared(path: Path, shape: tuple[int, ...], item: int, offset: int, held: int) -> None:
    """Check the size that a header declares before anything of that size is made.

    Parameters
    ----------
    path : pathlib.Path
        The file, for the message.
    shape : tuple of int
        Voxels along each axis.
    item, offset : int
        Bytes of a voxel, and before the first.
    held : int
        Bytes that the file has.

    Raises
    ------
    ValueError
        If an axis is empty, or the volume is larger than the file or than its limit.
    """
    if any(size < 1 for size in shape):
        raise ValueError(
            f"{path} declares the shape {shape}; each axis needs a voxel: convert it anew"
        )
    count = 1
    for size in shape:
        count *= int(size)
    if held < max(offset, 0) + count * item:
        raise ValueError(
            f"{path} is truncated or damaged: its header declares {shape} voxels of {item} bytes, "
            f"the file holds {held} bytes; copy or download it again"
        )
    # It is computed with in float32.
    SCAN.check(path, count * max(item, 4))


def load_image(path: Path) -> Any:
    """Open a NIfTI or Analyze file whose bytes were read whole.

    Returns
    -------
    nibabel image
        Its data lie in memory, and their size is what its header says.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file and what is wrong.
    """
    from nibabel.fileholders import FileHolder

    content = read_whole(path)
    kind = _format_of(path)
    names = {k: Path(h.filename) for k, h in kind.filespec_to_file_map(str(path)).items()}
    # SPM's matrix beside an Analyze pair is not read: the axes of such a scan are given.
    names.pop("mat", None)
    held = {k: content if name == path else read_whole(name) for k, name in names.items()}
    files = {key: FileHolder(fileobj=io.BytesIO(part)) for key, part in held.items()}
    try:
        image = kind.from_file_map({**files, "mat": FileHolder(filename=_NOTHING)})
        shape = tuple(int(size) for size in image.shape)
        item, offset = image.get_data_dtype().itemsize, int(image.dataobj.offset)
    # What a damaged header makes the parser raise is not documented: anything, in practice.
    except Exception as error:
        said = shortened(str(error) or type(error).__name__)
        raise ValueError(f"{path} is not a readable volume: {said}; convert it anew") from error
    check_declared(path, shape, item, offset, len(held["image"]))
    return image


def _format_of(path: Path) -> Any:
    """Return nibabel's class of a file by its first bytes."""
    from nibabel import imageclasses

    sniff: Any = None
    for kind in imageclasses.all_image_classes:
        if kind.__name__ in _FORMATS:
            known, sniff = kind.path_maybe_image(str(path), sniff)
            if known:
                return kind
    what = "neither NIfTI nor Analyze; convert it"
    if path.suffix.lower() != ".gz" and _is_compressed(path):
        what = "compressed by gzip; call it .nii.gz"
    raise ValueError(f"{path} is not a readable volume: it is {what}")


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"
