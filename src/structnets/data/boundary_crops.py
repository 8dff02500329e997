"""Random crops of images with boundary labels, a function of seed and step alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from structnets.data.boundary_set import BoundarySplit


@dataclass(frozen=True)
class BoundaryCrops:
    """A stream of augmented batches (the augmentation of H-Net's released BSDS training).

    Attributes
    ----------
    split : BoundarySplit
        Whole images.
    size : (int, int)
        Height and width of a crop; at most the images'.
    seed : int
        Two streams of equal seed are equal, in whatever process each batch is made.
    flips : bool
        Mirror left–right and up–down, each with probability one half.
    gamma : (float, float)
        Range of the exponent applied to intensities in 0..1; (1, 1) for none.

    Raises
    ------
    ValueError
        If the size or the range is impossible.
    """

    split: BoundarySplit
    size: tuple[int, int]
    seed: int = 0
    flips: bool = True
    gamma: tuple[float, float] = (0.5, 1.5)

    def __post_init__(self) -> None:
        whole = self.split.images.shape[2:]
        if not all(1 <= part <= side for part, side in zip(self.size, whole, strict=True)):
            raise ValueError(f"size must lie within the images' {whole}, got {self.size}")
        if not 0 < self.gamma[0] <= self.gamma[1]:
            raise ValueError(f"gamma must be a range of positive numbers, got {self.gamma}")

    def batch(self, step: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Make the batch of one step.

        Images are drawn with replacement.

        Returns
        -------
        images : numpy.ndarray
            (count, 3, h, w) float32 in 0..1.
        labels : numpy.ndarray
            (count, 1, h, w) float32, 1 at boundaries.
        """
        rng = np.random.default_rng([self.seed, step])
        crops = [self._crop(rng) for _ in range(count)]
        images, labels = zip(*crops, strict=True)
        return np.stack(images), np.stack(labels)

    def _crop(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        index = rng.integers(len(self.split))
        corner = [
            rng.integers(side - part + 1)
            for side, part in zip(self.split.images.shape[2:], self.size, strict=True)
        ]
        window = tuple(slice(c, c + part) for c, part in zip(corner, self.size, strict=True))
        image = self.split.images[index][:, *window] / np.float32(255)
        label = self.split.labels[index][None, *window].astype(np.float32)
        mirrored = rng.random(2) < 0.5
        exponent = np.float32(rng.uniform(*self.gamma))
        if self.flips:
            axes = tuple(1 + int(axis) for axis in np.flatnonzero(mirrored))
            image, label = np.flip(image, axes), np.flip(label, axes)
        return np.ascontiguousarray(image) ** exponent, np.ascontiguousarray(label)
