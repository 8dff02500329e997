"""Built-in handwritten digits for the smoke preset: scikit-learn's 8x8 digits made 28x28.

These are the UCI optical digits, not MNIST: results on them are never compared with the thesis.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from structnets.data.sets.entries import ENTRIES
from structnets.data.sets.preparation import Content, Preparation

CLASSES = ENTRIES["digits"].classes
_SPLIT_SEED = 0
_SCALE = 3
_BORDER = 2
_GREY_LEVELS = 16


def read(asked: Preparation) -> Content:
    """Make the digits; they are stored as splits."""
    return Content(load_digits(), digits_source())


def load_digits() -> dict[str, np.ndarray]:
    """Make the data set; the same bytes on every machine.

    Returns
    -------
    dict
        ``train_images`` (1437, 1, 28, 28) and ``test_images`` (360, 1, 28, 28), uint8, grey
        value 0..255; ``train_labels`` and ``test_labels``, int64 in 0..9. The split is
        stratified by class.
    """
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    digits: Any = datasets.load_digits()
    labels = digits.target.astype(np.int64)
    images = enlarge(digits.images.astype(np.int64))
    train, test = train_test_split(
        np.arange(len(labels)),
        test_size=ENTRIES["digits"].test_count,
        stratify=labels,
        random_state=_SPLIT_SEED,
    )
    return {
        "train_images": images[train],
        "train_labels": labels[train],
        "test_images": images[test],
        "test_labels": labels[test],
    }


def digits_source() -> dict[str, Any]:
    """Describe the origin of the images, for the manifest of the prepared data."""
    import sklearn

    return {"package": "scikit-learn", "version": sklearn.__version__, "function": "load_digits"}


def enlarge(images: np.ndarray) -> np.ndarray:
    """Enlarge 8x8 images bilinearly to 24x24 and surround them by two background pixels.

    The arithmetic is in integers (weights in thirds), so that no rounding depends on a machine.

    Parameters
    ----------
    images : numpy.ndarray
        (N, 8, 8) integers, grey value 0..16.

    Returns
    -------
    numpy.ndarray
        (N, 1, 28, 28) uint8, grey value 0..255.
    """
    weights = _bilinear_thirds(images.shape[-1])
    ninths = weights @ images.astype(np.int64) @ weights.T
    denominator = _SCALE**2 * _GREY_LEVELS
    grey = (ninths * 255 + denominator // 2) // denominator
    padded = np.pad(grey, ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER)))
    return padded[:, np.newaxis].astype(np.uint8)


def _bilinear_thirds(size: int) -> np.ndarray:
    """Weights (3 size, size), in thirds, of linear interpolation between pixel centres."""
    weights = np.zeros((_SCALE * size, size), dtype=np.int64)
    for row in range(_SCALE * size):
        # Centre of fine pixel `row` lies at (row - 1) / 3 in coarse pixels; edges repeat.
        left, thirds = divmod(row - 1, _SCALE)
        weights[row, max(left, 0)] += _SCALE - thirds
        weights[row, min(left + 1, size - 1)] += thirds
    return weights
