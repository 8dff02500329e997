"""Random states and data order as functions of seed, step and rank, never of timing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from structnets.data.batches.augmentation import Moves, draw_moves


def stream_seed(*parts: int | str) -> int:
    """Mix `parts` into one 63-bit seed; different parts give independent streams."""
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1


def seed_initialisation(seed: int) -> None:
    """Set torch's global random state for drawing a model's first weights."""
    torch.manual_seed(stream_seed(seed, "initialisation"))


def seed_step(seed: int, step: int, rank: int) -> None:
    """Set torch's global random state for one training step of one worker.

    A resumed run draws the same dropout masks as an uninterrupted one, without storing states.
    """
    torch.manual_seed(stream_seed(seed, "step", step, rank))


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the permutation of `count` samples in one epoch, shape (count,) int64.

    It sorts raw PCG64 words, a stream NumPy guarantees, unlike that of its shuffling methods.
    """
    words = np.random.PCG64(stream_seed(seed, "order", epoch)).random_raw(count)
    return np.argsort(words, kind="stable")


def worker_part(count: int, rank: int, world_size: int) -> slice:
    """Return the part of a global batch of `count` examples that one worker computes."""
    size, larger = divmod(count, world_size)
    first = rank * size + min(rank, larger)
    return slice(first, first + size + (rank < larger))


def draw_step_moves(
    augmentation: Mapping[str, Any] | None, seed: int, step: int, count: int
) -> Moves | None:
    """Draw the moves of the `count` images of a global batch, if the recipe asks for any.

    Drawn for the whole batch by every worker, so that it does not depend on their number.
    """
    if not augmentation:
        return None
    generator = torch.Generator().manual_seed(stream_seed(seed, "augmentation", step))
    return draw_moves(count, augmentation["shift"], generator, augmentation["flip"])
