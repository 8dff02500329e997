"""BSDS500 (Arbeláez, Maire, Fowlkes & Malik, 2011) from its original files; thesis section 4.4.2.

Images are 481 x 321 pixels, upright ones 321 x 481: those are transposed, so that all arrays are
321 rows high, and the item of the image says so. A label is 1 where enough annotators drew a
boundary; the annotators' own maps are kept beside it for evaluation.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from structnets.data.originals.boundary_truth import read_bsds_truth
from structnets.data.sets.boundary_split import BoundarySplit, pack_annotators
from structnets.data.sets.bsds_release import RELEASED
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.preparation import Content, Preparation
from structnets.files import sha256_file
from structnets.foreign.pictures import open_picture

SPLITS = tuple(RELEASED)
SHAPE = (321, 481)
SOURCE = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR/BSR_bsds500.tgz"
_PLACES = ENTRIES["bsds500"].originals[0].places

MERGES: Mapping[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "at_least_3": lambda votes, annotators: votes >= 3,
    "majority": lambda votes, annotators: 2 * votes > annotators,
}


@dataclass(frozen=True)
class Original:
    """The two files of one image."""

    name: str
    image: Path
    truth: Path


def read(asked: Preparation) -> Content:
    """Read BSDS500 as `load_bsds` does, by the prepare parameter ``merge``; stored as boundaries.

    ``counts`` of the manifest compares each split with the release.
    """
    splits = load_bsds(asked.originals, asked.prepare.get("merge", "at_least_3"))
    found = (len(splits["train"]) + len(splits["val"]), len(splits["test"]))
    check_whole(asked.name, found, asked.prepare, asked.originals / asked.name)
    counts = {
        name: {
            "released": len(RELEASED[name]),
            "upright": sum(item["transposed"] for item in split.items),
        }
        for name, split in splits.items()
    }
    return Content(splits, {"archive": SOURCE}, counts=counts)


def load_bsds(
    data_root: str | os.PathLike[str], merge: str = "at_least_3"
) -> dict[str, BoundarySplit]:
    """Read the splits that are there, checked against the release.

    A copy that lacks images is accepted; the numbers are the reader's to compare.

    Parameters
    ----------
    data_root : path
        Folder of all original data sets.
    merge : {"at_least_3", "majority"}
        What makes a pixel a boundary: three annotators or more (as H-Net and HED do), or more
        than half of them.

    Returns
    -------
    dict
        ``train``, ``val`` and ``test``, images sorted by number.

    Raises
    ------
    FileNotFoundError
        If the data, a split, an image or a ground truth is missing.
    ValueError
        If `merge` is unknown, an image lies in two splits or in another than the release has it
        in, or a file is damaged or of another size.
    """
    if merge not in MERGES:
        raise ValueError(f"unknown merge {merge!r}; allowed: {', '.join(MERGES)}")
    originals = find_originals(bsds_folder(data_root))
    return {split: _load_split(files, merge) for split, files in originals.items()}


def bsds_folder(data_root: str | os.PathLike[str]) -> Path:
    """Return the folder with ``images`` and ``groundTruth``, wherever the archive was unpacked.

    Raises
    ------
    FileNotFoundError
        If there is none; the message says where to get it and where to put it.
    """
    for place in _PLACES:
        if (folder := Path(data_root) / place).is_dir():
            return folder
    raise FileNotFoundError(
        f"BSDS500 is missing: get {SOURCE} and unpack it so that "
        f"{Path(data_root) / _PLACES[0]} holds images and groundTruth"
    )


def find_originals(folder: Path) -> dict[str, list[Original]]:
    """List the images of every split and check the splits.

    Raises
    ------
    FileNotFoundError, ValueError
        As `load_bsds` says.
    """
    found = {split: _files_of(folder, split) for split in SPLITS}
    _refuse_duplicates(found)
    for split, originals in found.items():
        for original in originals:
            home = next((s for s, names in RELEASED.items() if original.name in names), None)
            if home != split:
                said = "does not have it" if home is None else f"has it in {home}"
                raise ValueError(
                    f"{original.image} is no image of the {split} split: the release {said}"
                )
    return found


def _files_of(folder: Path, split: str) -> list[Original]:
    images, truths = (
        {path.stem: path for path in (folder / kind / split).glob(f"*{ending}")}
        for kind, ending in (("images", ".jpg"), ("groundTruth", ".mat"))
    )
    if not images:
        raise FileNotFoundError(f"{folder / 'images' / split} holds no .jpg; get {SOURCE}")
    for name in sorted(set(images) ^ set(truths)):
        present = images.get(name) or truths[name]
        absent = "ground truth" if name in images else "image"
        raise FileNotFoundError(f"{present} has no {absent} beside it in {split}")
    names = sorted(images, key=lambda name: (len(name), name))
    return [Original(name, images[name], truths[name]) for name in names]


def _refuse_duplicates(found: Mapping[str, Sequence[Original]]) -> None:
    """Refuse an image that occurs twice, under its name or under another."""
    seen: dict[str, Path] = {}
    for originals in found.values():
        for original in originals:
            for mark in (original.name, sha256_file(original.image)):
                if mark in seen:
                    raise ValueError(
                        f"{original.image} and {seen[mark]} are one image; remove one of them"
                    )
                seen[mark] = original.image


def _load_split(originals: Sequence[Original], merge: str) -> BoundarySplit:
    images = np.empty((len(originals), 3, *SHAPE), dtype=np.uint8)
    labels = np.empty((len(originals), *SHAPE), dtype=np.uint8)
    packed, items = [], []
    for row, original in enumerate(originals):
        image, truths, transposed = _load_image(original)
        images[row] = image
        labels[row] = MERGES[merge](truths.sum(axis=0, dtype=np.int64), len(truths))
        packed.append(pack_annotators(truths))
        items.append({"id": original.name, "transposed": transposed, "annotators": len(truths)})
    return BoundarySplit(images, labels, np.concatenate(packed), items)


def _load_image(original: Original) -> tuple[np.ndarray, np.ndarray, bool]:
    """Read (3, H, W) uint8 and (A, H, W) bool, lying, and whether they stood upright."""
    picture = open_picture(original.image, "JPEG", original.image)
    pixels = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    truths = np.stack(read_bsds_truth(original.truth))
    size = pixels.shape[1:]
    if size not in (SHAPE, SHAPE[::-1]):
        raise ValueError(f"{original.image} has {size} pixels; allowed: {SHAPE}, {SHAPE[::-1]}")
    if truths.shape[1:] != size:
        raise ValueError(f"{original.truth} has {truths.shape[1:]} pixels, its image has {size}")
    if size == SHAPE:
        return pixels, truths, False
    return pixels.transpose(0, 2, 1), truths.transpose(0, 2, 1), True
