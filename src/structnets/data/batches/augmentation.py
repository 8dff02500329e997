"""Random shifts and flips of image batches, and standardisation by the training set's statistics.

What happens to an image is drawn from a `torch.Generator` alone. Given one seeded by (seed,
step), a resumed training moves its images as an uninterrupted one; draws for the global batch,
cut to a worker's share, do not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Moves:
    """How each image of a batch is moved.

    Attributes
    ----------
    down, right : Tensor, shape (B,), int64
        Pixels by which the content moves, between -padding and padding.
    flipped : Tensor, shape (B,), bool
        Whether left and right are exchanged, after the shift.
    """

    down: Tensor
    right: Tensor
    flipped: Tensor

    def __getitem__(self, part: slice | Tensor) -> Moves:
        """Return the moves of a part of the batch."""
        return Moves(self.down[part], self.right[part], self.flipped[part])


def draw_moves(count: int, padding: int, generator: torch.Generator, flip: bool = True) -> Moves:
    """Draw uniform shifts of at most `padding` pixels, and flips of probability one half.

    Parameters
    ----------
    count : int
        Images of the batch.
    padding : int
        Largest shift; 0 shifts nothing.
    generator : torch.Generator
        On the CPU, so that every device sees the same images.
    flip : bool
        Flip horizontally too. Draws are taken either way, so that shifts stay the same.

    Raises
    ------
    ValueError
        If `padding` is negative.
    """
    if padding < 0:
        raise ValueError(f"padding must not be negative, got {padding}")
    down, right = torch.randint(-padding, padding + 1, (2, count), generator=generator)
    flipped = torch.rand(count, generator=generator) < 0.5
    return Moves(down, right, flipped if flip else torch.zeros_like(flipped))


def move(images: Tensor, moves: Moves) -> Tensor:
    """Shift, then flip, every image of a batch; what comes in from outside is zero.

    Parameters
    ----------
    images : Tensor, shape (B, C, H, W)
        Of any type and on any device; not changed.
    moves : Moves
        Of B images.

    Returns
    -------
    Tensor
        Of the shape, type and device of `images`.
    """
    count, _, height, width = images.shape
    if len(moves.flipped) != count:
        raise ValueError(f"moves are of {len(moves.flipped)} images, the batch has {count}")
    moves = Moves(*(part.to(images.device) for part in (moves.down, moves.right, moves.flipped)))
    # Index 0 is a border of zeros; the image begins at 1.
    rows = _sources(height, moves.down)
    columns = _sources(width, moves.right)
    columns = torch.where(moves.flipped[:, None], columns.flip(1), columns)
    padded = functional.pad(images, (1, 0, 1, 0))
    flat = (rows[:, :, None] * (width + 1) + columns[:, None, :]).view(count, 1, -1)
    taken = padded.flatten(2).gather(2, flat.expand(-1, images.shape[1], -1))
    return taken.view(images.shape)


def _sources(size: int, shift: Tensor) -> Tensor:
    """Return (B, size): 1 + the pixel each position shows, 0 where it lies outside."""
    shown = torch.arange(size, device=shift.device) - shift[:, None]
    return torch.where((shown >= 0) & (shown < size), shown + 1, 0)


def standardize(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Return ``(images / 255 - mean) / std`` per channel, as float32.

    Parameters
    ----------
    images : Tensor, shape (B, C, H, W), uint8
        As stored.
    mean, std : sequence of float
        One per channel for values scaled to [0, 1], as in a manifest's ``statistics``.

    Raises
    ------
    ValueError
        If their number is not C, or a deviation is not positive.
    """
    return Standardization(mean, std, images.ndim - 2)(images)


class Standardization:
    """``(images / 255 - mean) / std`` per channel, with its constants kept.

    Parameters
    ----------
    mean, std : sequence of float
        One per channel for values scaled to [0, 1], as in a manifest's ``statistics``.
    space : int
        Axes after the channels: 2 for images, 3 for volumes.

    Raises
    ------
    ValueError
        If they differ in number, or a deviation is not positive.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], space: int = 2) -> None:
        if len(mean) != len(std) or min(std, default=0) <= 0:
            raise ValueError(
                "there must be as many means as positive deviations, "
                f"got mean {list(mean)} and std {list(std)}"
            )
        deviation = torch.tensor(std, dtype=torch.float64)
        offset = torch.tensor(mean, dtype=torch.float64) / deviation
        self._scale, self._offset = (
            part.float().view(-1, *[1] * space) for part in (1 / (255 * deviation), offset)
        )

    def __call__(self, images: Tensor, out: Tensor | None = None) -> Tensor:
        """Standardise images (…, C, H, W) or volumes, uint8, into float32, into `out` if given.

        Raises
        ------
        ValueError
            If they have another number of channels.
        """
        channels = images.shape[-self._scale.ndim]
        if channels != len(self._scale):
            raise ValueError(f"images have {channels} channels, the statistics {len(self._scale)}")
        if self._scale.device != images.device:
            self._scale, self._offset = (
                part.to(images.device) for part in (self._scale, self._offset)
            )
        return torch.mul(images, self._scale, out=out).sub_(self._offset)
