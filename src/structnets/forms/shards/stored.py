"""Images in shards as prepared data (`structnets.data.prepared.shards`)."""

from __future__ import annotations

import os
from typing import Any

from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.prepared.sharding import Kind
from structnets.data.sets.preparation import Content, Preparation


def write(
    directory: str | os.PathLike[str],
    asked: Preparation,
    content: Content,
    kind: Kind = "jpeg",
) -> dict[str, Any]:
    """Verify, resize and store the images that a data set's function listed.

    The data of `content` are, for ``train`` and ``test``, the originals with their labels in their
    final order. The prepare parameters are ``geometry`` and ``storage``, of which the entry's
    first is the default. Killed and started again, it continues
    (`structnets.data.prepared.sharded_preparation.prepare_shards`, which also knows `kind`).
    """
    facts = {
        "dataset": asked.name,
        "classes": list(content.classes or asked.entry.classes),
        "source": dict(content.source),
        "prepare": dict(asked.prepare),
    }
    return prepare_shards(
        directory,
        content.data,
        facts,
        geometry=asked.option("geometry"),
        storage=asked.option("storage"),
        kind=kind,
        workers=asked.workers,
        progress=asked.progress,
    )
