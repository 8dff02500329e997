"""Built-in colour images for the smoke preset: 32x32 crops of ten photographs, named by photograph.

The photographs come with scikit-image and scikit-learn. This is not CIFAR: results on it are never
compared with the thesis.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.preparation import Content, Preparation

CLASSES = ENTRIES["photo_crops"].classes
SIDE = 32
_SHORT_SIDE = 160  # photographs are shrunk to about this before they are cropped
_TRAIN_PART = 0.75  # crops of the test split come from the rest of each photograph's width
_SEED = 0


def read(asked: Preparation) -> Content:
    """Make the crops; they are stored as splits."""
    return Content(load_photo_crops(), photo_source())


def load_photo_crops() -> dict[str, np.ndarray]:
    """Make the data set; the same bytes on every machine.

    Returns
    -------
    dict
        ``train_images`` (1000, 3, 32, 32) and ``test_images`` (300, 3, 32, 32), uint8 RGB;
        ``train_labels`` and ``test_labels``, int64 in 0..9. No pixel is in both splits.
    """
    facts = ENTRIES["photo_crops"]
    counts = {"train": facts.train_count, "test": facts.test_count}
    arrays: dict[str, list[np.ndarray]] = {split: [] for split in counts}
    random = np.random.Generator(np.random.PCG64(_SEED))
    for name in CLASSES:
        photograph = shrink(read_photograph(name))
        border = int(photograph.shape[1] * _TRAIN_PART)
        parts = {"train": photograph[:, :border], "test": photograph[:, border:]}
        for split, part in parts.items():
            arrays[split].append(crops(part, counts[split] // len(CLASSES), random))
    labels = {split: counts[split] // len(CLASSES) for split in counts}
    return {
        **{f"{split}_images": np.concatenate(parts) for split, parts in arrays.items()},
        **{
            f"{split}_labels": np.repeat(np.arange(len(CLASSES)), each)
            for split, each in labels.items()
        },
    }


def read_photograph(name: str) -> np.ndarray:
    """Read a photograph by its class name: (H, W, 3) uint8."""
    return _READERS[name]()


def photo_source() -> dict[str, Any]:
    """Describe the origin of the photographs, for the manifest of the prepared data."""
    from importlib.metadata import version

    return {
        "packages": {name: version(name) for name in ("scikit-image", "scikit-learn")},
        "photographs": list(CLASSES),
    }


def shrink(photograph: np.ndarray) -> np.ndarray:
    """Average blocks of pixels so that the short side is at least 160 (integers throughout).

    Parameters
    ----------
    photograph : numpy.ndarray
        (H, W, 3) uint8.

    Returns
    -------
    numpy.ndarray
        (H // f, W // f, 3) uint8 for the largest fitting factor f.
    """
    factor = max(1, min(photograph.shape[:2]) // _SHORT_SIDE)
    height, width = (side // factor for side in photograph.shape[:2])
    cut = photograph[: height * factor, : width * factor].astype(np.int64)
    sums = cut.reshape(height, factor, width, factor, 3).sum(axis=(1, 3))
    return ((sums + factor**2 // 2) // factor**2).astype(np.uint8)


def crops(part: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Cut `count` crops at random places: (count, 3, 32, 32) uint8 from (H, W, 3)."""
    rows = random.integers(0, part.shape[0] - SIDE + 1, count)
    columns = random.integers(0, part.shape[1] - SIDE + 1, count)
    cut = [
        part[row : row + SIDE, column : column + SIDE]
        for row, column in zip(rows, columns, strict=True)
    ]
    return np.ascontiguousarray(np.stack(cut).transpose(0, 3, 1, 2))


def _of_skimage(name: str) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        from skimage import data

        found = getattr(data, name)()
        return found[0] if isinstance(found, tuple) else found

    return read


def _of_sklearn(name: str) -> Callable[[], np.ndarray]:
    def read() -> np.ndarray:
        from sklearn.datasets import load_sample_image

        return load_sample_image(f"{name}.jpg")

    return read


_READERS = {
    "astronaut": _of_skimage("astronaut"),
    "cat": _of_skimage("chelsea"),
    "coffee": _of_skimage("coffee"),
    "galaxies": _of_skimage("hubble_deep_field"),
    "motorcycle": _of_skimage("stereo_motorcycle"),
    "retina": _of_skimage("retina"),
    "rocket": _of_skimage("rocket"),
    "temple": _of_sklearn("china"),
    "tissue": _of_skimage("immunohistochemistry"),
    "flower": _of_sklearn("flower"),
}
