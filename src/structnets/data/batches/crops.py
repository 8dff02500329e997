"""Which part of each image a training step sees: crops and flips as functions of (seed, step).

Draws come from raw PCG64 words, a stream NumPy guarantees, so that a seed means the same crops
for good. They are made for the global batch; workers take their part of them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from structnets.data.batches.seeding import stream_seed

_ATTEMPTS = 10


@dataclass(frozen=True)
class Windows:
    """The part of each image that is shown, resized to a square.

    Attributes
    ----------
    top, left, height, width : numpy.ndarray, shape (B,), int64
        In pixels of the stored image.
    flipped : numpy.ndarray, shape (B,), bool
        Whether left and right are exchanged.
    """

    top: np.ndarray
    left: np.ndarray
    height: np.ndarray
    width: np.ndarray
    flipped: np.ndarray

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.flipped)

    def __getitem__(self, part: slice | np.ndarray) -> Windows:
        """Return the windows of a part of the batch."""
        names = ("top", "left", "height", "width", "flipped")
        return Windows(*(getattr(self, name)[part] for name in names))


class Crop(Protocol):
    """A distribution of windows.

    Attributes
    ----------
    size : int
        Side of the square that every window is resized to.
    """

    @property
    def size(self) -> int:
        """Side of the square that every window is resized to."""
        ...

    def windows(self, heights: np.ndarray, widths: np.ndarray, seed: int, step: int) -> Windows:
        """Draw a window for each image of a step."""
        ...


@dataclass(frozen=True)
class RandomCrop:
    """A square of `size` pixels anywhere in the image, flipped half of the time (chapter 3).

    Raises
    ------
    ValueError
        When windows are asked for in an image that is smaller.
    """

    size: int = 224
    flip: bool = True

    def windows(self, heights: np.ndarray, widths: np.ndarray, seed: int, step: int) -> Windows:
        """Draw a window for each image of a step; heights and widths are (B,)."""
        _check_size(self.size, heights, widths)
        draws = _uniform(seed, step, (3, len(heights)))
        side = np.full(len(heights), self.size)
        return Windows(
            top=_below(draws[0], heights - self.size + 1),
            left=_below(draws[1], widths - self.size + 1),
            height=side,
            width=side,
            flipped=(draws[2] < 0.5) & self.flip,
        )


@dataclass(frozen=True)
class CenterCrop:
    """The square of `size` pixels in the middle, never flipped: for evaluation."""

    size: int = 224

    def windows(
        self, heights: np.ndarray, widths: np.ndarray, seed: int = 0, step: int = 0
    ) -> Windows:
        """Return the window of each image; seed and step decide nothing."""
        _check_size(self.size, heights, widths)
        side = np.full(len(heights), self.size)
        # torchvision rounds halves to even.
        top, left = (np.rint((sizes - self.size) / 2).astype(int) for sizes in (heights, widths))
        return Windows(top, left, side, side, np.zeros(len(heights), dtype=bool))


@dataclass(frozen=True)
class CenterPart:
    """The square in the middle of `part` of the short side, resized to `size`: for evaluation."""

    size: int = 224
    part: float = 7 / 8

    def windows(
        self, heights: np.ndarray, widths: np.ndarray, seed: int = 0, step: int = 0
    ) -> Windows:
        """Return the window of each image; seed and step decide nothing."""
        short = np.minimum(heights, widths)
        side = np.maximum(np.rint(self.part * short).astype(np.int64), 1)
        top, left = ((sizes - side) // 2 for sizes in (heights, widths))
        return Windows(top, left, side, side, np.zeros(len(heights), dtype=bool))


@dataclass(frozen=True)
class RandomResizedCrop:
    """A part of random area and aspect, resized to `size`: the distribution of torchvision's.

    Parameters
    ----------
    size : int
        Side of the square it is resized to.
    scale : (float, float)
        Least and largest part of the image's area, uniform between them.
    ratio : (float, float)
        Least and largest width over height, uniform between them on a logarithmic scale.
    flip : bool
        Flip half of the time.
    """

    size: int = 224
    scale: tuple[float, float] = (0.08, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    flip: bool = True

    def windows(self, heights: np.ndarray, widths: np.ndarray, seed: int, step: int) -> Windows:
        """Draw a window for each image of a step; heights and widths are (B,).

        Of ten draws the first that fits into the image counts; else it is the largest central
        part of an allowed aspect.
        """
        count = len(heights)
        draws = _uniform(seed, step, (2 * _ATTEMPTS + 3, count))
        low, high = self.scale
        area = heights * widths * (low + (high - low) * draws[:_ATTEMPTS])
        low, high = np.log(self.ratio)
        aspect = np.exp(low + (high - low) * draws[_ATTEMPTS : 2 * _ATTEMPTS])
        tried_widths, tried_heights = (
            np.rint(np.sqrt(sides)).astype(np.int64) for sides in (area * aspect, area / aspect)
        )
        fits = (tried_widths > 0) & (tried_widths <= widths)
        fits &= (tried_heights > 0) & (tried_heights <= heights)
        first, each = fits.argmax(0), np.arange(count)
        found = fits[first, each]
        whole_heights, whole_widths = self._largest(heights, widths)
        height = np.where(found, tried_heights[first, each], whole_heights)
        width = np.where(found, tried_widths[first, each], whole_widths)
        down, right, side = draws[-3:]
        return Windows(
            top=np.where(found, _below(down, heights - height + 1), (heights - height) // 2),
            left=np.where(found, _below(right, widths - width + 1), (widths - width) // 2),
            height=height,
            width=width,
            flipped=(side < 0.5) & self.flip,
        )

    def _largest(self, heights: np.ndarray, widths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        least, most = self.ratio
        aspect = widths / heights
        largest_heights = np.where(aspect < least, np.rint(widths / least), heights)
        largest_widths = np.where(aspect > most, np.rint(heights * most), widths)
        return largest_heights.astype(np.int64), largest_widths.astype(np.int64)


def _uniform(seed: int, step: int, shape: tuple[int, int]) -> np.ndarray:
    """Draw numbers in [0, 1) that only (seed, step) and their place decide."""
    words = np.random.PCG64(stream_seed(seed, "crop", step)).random_raw(math.prod(shape))
    return ((words >> np.uint64(11)) * 2.0**-53).reshape(shape)


def _below(draws: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Turn numbers in [0, 1) into integers in 0..limit-1."""
    return np.minimum((draws * limits).astype(np.int64), limits - 1)


def _check_size(size: int, heights: np.ndarray, widths: np.ndarray) -> None:
    if min(heights.min(), widths.min()) < size:
        small = int(np.minimum(heights, widths).argmin())
        raise ValueError(
            f"a crop of {size} pixels does not fit into an image of "
            f"{heights[small]}x{widths[small]}"
        )
