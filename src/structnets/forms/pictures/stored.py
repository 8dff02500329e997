"""Pictures of any format as prepared data: shards (`structnets.data.prepared.shards`)."""

from __future__ import annotations

import os
from typing import Any

from structnets.data.sets.preparation import Content, Preparation
from structnets.forms.shards import stored as shards


def write(
    directory: str | os.PathLike[str], asked: Preparation, content: Content
) -> dict[str, Any]:
    """Decode, resize and store the pictures that a study lists; those that are broken are named.

    The data of `content` are, for ``train`` and ``test``, the originals with their labels.
    """
    return shards.write(directory, asked, content, kind="picture")
