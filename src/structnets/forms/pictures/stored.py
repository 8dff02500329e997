"""Pictures of any format as prepared data: shards (`structnets.data.prepared.shards`)."""

from __future__ import annotations

import os
from typing import Any

from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.sets.preparation import Content, Preparation


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Decode, resize and store the pictures that a study lists; those that are broken are named.

    The data of `content` are, for ``train`` and ``test``, the originals with their labels.
    """
    facts = {
        "dataset": asked.name,
        "classes": list(content.classes or ()),
        "source": dict(content.source),
        "prepare": dict(asked.prepare),
    }
    return prepare_shards(
        directory,
        content.data,
        facts,
        geometry=asked.option("geometry"),
        storage=asked.option("storage"),
        kind="picture",
        workers=asked.workers,
        progress=asked.progress,
    )
