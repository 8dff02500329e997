"""Images in shards as prepared data (`structnets.data.prepared.shards`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from structnets.data.prepared.manifest import SPLITS, open_arrays
from structnets.data.prepared.sharded_preparation import Members, prepare_shards
from structnets.data.prepared.sharding import Kind
from structnets.data.sets.preparation import Content, Preparation


def write(
    directory: str | os.PathLike[str],
    asked: Preparation,
    content: Content,
    kind: Kind = "jpeg",
    *,
    members: Mapping[str, Members] | None = None,
    scores: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Verify, resize and store the images that a data set's function listed.

    The data of `content` are, for ``train`` and ``test``, the originals with their labels in their
    final order, unless `members` are; of images with `scores` a label is a place among them. The
    prepare parameters are ``geometry`` and ``storage``, of which the entry's first is the default.
    Killed and started again, it continues
    (`structnets.data.prepared.sharded_preparation.prepare_shards`, which also knows `kind`).
    """
    facts = {
        "dataset": asked.name,
        "classes": list(content.classes or asked.entry.classes),
        "source": dict(content.source),
        "prepare": dict(asked.prepare),
        **({"scores": scores} if scores else {}),
    }
    return prepare_shards(
        directory,
        members or content.data,
        facts,
        geometry=asked.option("geometry"),
        storage=asked.option("storage"),
        kind=kind,
        workers=asked.workers,
        progress=asked.progress,
    )


def content_problems(directory: str | os.PathLike[str], manifest: Mapping[str, Any]) -> list[str]:
    """Compare the scores that a manifest states, if any, with the files: its digest covers none."""
    found = []
    for split in SPLITS if f"{SPLITS[0]}_scores.npy" in manifest["files"] else ():
        (scores,) = open_arrays(directory, f"{split}_scores.npy")
        found.append(score_problem(split, scores, manifest))
    return [problem for problem in found if problem]


def score_problem(split: str, scores: np.ndarray, manifest: Mapping[str, Any]) -> str | None:
    """Say in what the scores of a split differ from what the manifest states, or return None."""
    stated = manifest.get("scores", {}).get(split)
    if scores.dtype != np.float64 or scores.ndim != 1 or scores.tolist() != stated:
        return f"states other {split} scores than lie in it"
    if manifest["counts"].get(split) != {"score": len(scores)}:
        return f"states other {split} counts than it has scores"
    return None
