"""Textured blobs: an infinite set of images whose blobs' outlines are to be found (Figure 10).

Thesis section 4.4.2 describes three cases; sizes, shapes and textures are our choice:

- ``binary``: white blobs on black;
- ``textures``: blobs of one texture on another, as photographed;
- ``hard``: the same, but the texture of the blobs has its grey values replaced, rank by rank, by
  those of the background, so that no statistic of single pixels tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from structnets.data.sets.preparation import Content, Preparation
from structnets.data.sets.textures import Textures, hold_out_classes, load_textures

Difficulty = Literal["binary", "textures", "hard"]
DIFFICULTIES: tuple[str, ...] = get_args(Difficulty)
_BLOBS = (1, 4)
_RADII = (0.08, 0.22)  # parts of the image's side
_WAVES = 5  # harmonics of a blob's outline
_ROUGHNESS = 0.25


def read(asked: Preparation) -> Content:
    """Read the textures of both splits, of KTH-TIPS or built-in ones; they are stored as blobs."""
    root = asked.originals if asked.option("textures") == "kth_tips" else None
    if asked.option("held_out") == "classes":
        if root is None:
            raise ValueError(
                "prepare parameter 'held_out' is 'classes', but the built-in textures are three; "
                "leave it out, or take textures 'kth_tips'"
            )
        textures = {split: hold_out_classes(root, split) for split in ("train", "test")}
    else:
        textures = {split: load_textures(root, split) for split in ("train", "test")}
    return Content(textures, {"textures": textures["train"].source})


@dataclass(frozen=True)
class Blob:
    """One sample, float32 each of shape (1, S, S).

    Attributes
    ----------
    image : numpy.ndarray
        Grey values in 0..1.
    boundary : numpy.ndarray
        The target: 1 at the outermost pixels of blobs, 0 elsewhere. Where a blob leaves the
        image there is no boundary.
    mask : numpy.ndarray
        1 inside blobs.
    """

    image: np.ndarray
    boundary: np.ndarray
    mask: np.ndarray


class TexturedBlobs:
    """The infinite set: sample `index` is a function of seed, difficulty and index alone.

    Any number of workers may therefore each make a part of the stream, in any order.

    Parameters
    ----------
    difficulty : {"binary", "textures", "hard"}
        Which of the three cases.
    size : int
        Side of the images, at least 16.
    seed : int
        Another seed is another stream.
    textures : Textures, optional
        Needed unless the difficulty is ``binary``; the samples depend on it too.

    Raises
    ------
    ValueError
        If a value is not allowed, textures lack or are smaller than the images.
    """

    def __init__(
        self,
        difficulty: str,
        size: int = 64,
        seed: int = 0,
        textures: Textures | None = None,
    ) -> None:
        if difficulty not in DIFFICULTIES:
            raise ValueError(
                f"unknown difficulty {difficulty!r}; allowed: {', '.join(DIFFICULTIES)}"
            )
        if size < 16:
            raise ValueError(f"size must be at least 16, got {size}")
        if difficulty != "binary":
            if textures is None:
                raise ValueError(f"difficulty {difficulty!r} needs textures (load_textures)")
            if size > textures.largest_window:
                raise ValueError(
                    f"size {size} exceeds the smallest texture's {textures.largest_window} pixels"
                )
        self.difficulty, self.size, self.seed, self.textures = difficulty, size, seed, textures

    def __getitem__(self, index: int) -> Blob:
        """Make one sample; `index` is any number from 0 on."""
        if index < 0:
            raise IndexError(f"index must be at least 0, got {index}")
        # Shapes come first, so that the three difficulties share them.
        rng = np.random.default_rng([self.seed, index])
        mask = _blobs(rng, self.size)
        image = mask.astype(np.float64)
        if self.textures is not None and self.difficulty != "binary":
            image = self._filled(rng, mask, self.textures)
        arrays = (image, _outline(mask), mask)
        return Blob(*(np.asarray(array, dtype=np.float32)[None] for array in arrays))

    def batch(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Make samples `first` to ``first + count - 1``: images, boundaries, masks (B, 1, S, S)."""
        samples = [self[index] for index in range(first, first + count)]
        return (
            np.stack([sample.image for sample in samples]),
            np.stack([sample.boundary for sample in samples]),
            np.stack([sample.mask for sample in samples]),
        )

    def _filled(self, rng: np.random.Generator, mask: np.ndarray, textures: Textures) -> np.ndarray:
        names = sorted(textures.classes)
        chosen = rng.choice(len(names), size=2, replace=False)
        inside, outside = (
            _window(rng, textures.classes[names[number]], self.size) for number in chosen
        )
        if self.difficulty == "hard":
            inside = match_ranks(inside, outside)
        return np.where(mask, inside, outside)


def to_bytes(grey: np.ndarray) -> np.ndarray:
    """Turn grey values in 0..1 into uint8."""
    return np.rint(255 * grey).astype(np.uint8)


def match_ranks(image: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Give `image` the grey values of `reference`, in the order of its own (equal sizes)."""
    matched = np.empty(image.size)
    matched[np.argsort(image, axis=None, kind="stable")] = np.sort(reference, axis=None)
    return matched.reshape(image.shape)


def _blobs(rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw a few closed outlines in polar form, radius (1 + sum of waves); (S, S) bool."""
    y, x = np.mgrid[:size, :size] / size
    mask = np.zeros((size, size), dtype=np.bool_)
    for _ in range(rng.integers(*_BLOBS, endpoint=True)):
        centre = rng.random(2)
        radius = rng.uniform(*_RADII)
        heights = rng.normal(size=_WAVES) / np.arange(1, _WAVES + 1)
        phases = rng.uniform(0, 2 * np.pi, _WAVES)
        down, right = y - centre[0], x - centre[1]
        angle = np.arctan2(down, right)
        outline = np.full(angle.shape, 1.0)
        for wave in range(_WAVES):
            outline += _ROUGHNESS * heights[wave] * np.cos((wave + 1) * angle + phases[wave])
        mask |= np.hypot(down, right) < radius * np.maximum(outline, 0.2)
    return mask


def _outline(mask: np.ndarray) -> np.ndarray:
    """Return the pixels of `mask` of which one of the four neighbours lies outside."""
    padded = np.pad(mask, 1, mode="edge")
    neighbours = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    return mask & ~np.logical_and.reduce(neighbours)


def _window(rng: np.random.Generator, images: Sequence[np.ndarray], size: int) -> np.ndarray:
    """Cut a random square out of a random image, turned and mirrored at random."""
    image = images[int(rng.integers(len(images)))]
    top, left = (rng.integers(side - size + 1) for side in image.shape)
    window = np.rot90(image[top : top + size, left : left + size], int(rng.integers(4)))
    return window[:, ::-1] if rng.random() < 0.5 else window
