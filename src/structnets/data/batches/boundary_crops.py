"""Random crops of images with boundary labels, each a function of seed, step and place alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class BoundaryCrops:
    """The augmentation of H-Net's released BSDS training, and crops.

    Attributes
    ----------
    size : (int, int), optional
        Height and width of a crop, at most the images'; None for whole images.
    seed : int
        Two streams of equal seed are equal, in whatever process each example is made.
    flips : bool
        Mirror left–right and up–down, each with probability one half.
    gamma : (float, float), optional
        Range of the exponent applied to intensities in 0..1; None for none.

    Raises
    ------
    ValueError
        If the range is impossible.
    """

    size: Sequence[int] | None = None
    seed: int = 0
    flips: bool = True
    gamma: tuple[float, float] | None = (0.5, 1.5)

    def __post_init__(self) -> None:
        if self.gamma is not None and not 0 < self.gamma[0] <= self.gamma[1]:
            raise ValueError(f"gamma must be a range of positive numbers, got {self.gamma}")

    def __call__(
        self, image: np.ndarray, label: np.ndarray, step: int, place: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Crop and move the image at one place of the global batch of one step.

        Parameters
        ----------
        image : numpy.ndarray
            (C, H, W) uint8.
        label : numpy.ndarray
            (H, W) uint8 of 0 and 1.
        step, place : int
            Of the example. Places are counted in the global batch, so that a worker's part of
            it is the same whatever part that is.

        Returns
        -------
        image : numpy.ndarray
            (C, h, w) float32 in 0..1.
        label : numpy.ndarray
            (1, h, w) float32, 1 at boundaries.

        Raises
        ------
        ValueError
            If the crop exceeds the image.
        """
        whole = image.shape[1:]
        size = whole if self.size is None else self.size
        if not all(1 <= part <= side for part, side in zip(size, whole, strict=True)):
            raise ValueError(f"size must lie within the images' {whole}, got {size}")
        rng = np.random.default_rng([self.seed, step, place])
        corner = [
            int(rng.integers(side - part + 1)) for side, part in zip(whole, size, strict=True)
        ]
        window = tuple(slice(c, c + part) for c, part in zip(corner, size, strict=True))
        cut, marked = image[:, *window] / np.float32(255), label[None, *window].astype(np.float32)
        mirrored = rng.random(2) < 0.5
        if self.flips:
            axes = tuple(1 + int(axis) for axis in np.flatnonzero(mirrored))
            cut, marked = np.flip(cut, axes), np.flip(marked, axes)
        cut, marked = np.ascontiguousarray(cut), np.ascontiguousarray(marked)
        if self.gamma is not None:
            cut = cut ** np.float32(rng.uniform(*self.gamma))
        return cut, marked
