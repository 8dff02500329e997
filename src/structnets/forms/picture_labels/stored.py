"""Pictures with labels as prepared data: shards, and ``<split>_label_sets.npy``, (N, labels)."""

from __future__ import annotations

import os
from typing import Any

from structnets.data.prepared.shard_answers import LABEL_SETS
from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.shards import stored as shards


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Decode, resize and store the pictures that a study lists; those that are broken are named.

    The data of `content` are, for ``train`` and ``test``, the originals with their places, and the
    places of their labels among the classes.
    """
    return shards.write_answered(directory, asked, content, LABEL_SETS)
