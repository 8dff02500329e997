"""Pictures with scores as prepared data: shards, and ``<split>_scores.npy``, float64 (N,).

The manifest repeats the scores, in the order of the pictures: of those that a run is trained on it
follows which mean and deviation they are standardised by (`structnets.forms.picture_scores.units`).
"""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np

from structnets.data.prepared.shard_answers import SCORES
from structnets.data.prepared.shards import ShardedSplit
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.shards import stored as shards


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Decode, resize and store the pictures that a study lists; those that are broken are named.

    The data of `content` are, for ``train`` and ``test``, the originals with their places, and
    their scores.
    """
    return shards.write_answered(directory, asked, content, SCORES)


def load_scored(
    directory: str | os.PathLike[str], split: Literal["train", "test"]
) -> tuple[ShardedSplit, np.ndarray]:
    """Open the pictures of a split and their scores, (N,) float64.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder does not hold such data, or a file is not what its manifest says.
    """
    return shards.load_answers(directory, split, SCORES)
