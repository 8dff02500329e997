"""Images in shards as prepared data (`structnets.data.prepared.shards`)."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from structnets.data.prepared.manifest import SPLITS, check_files, open_arrays, remedy
from structnets.data.prepared.shard_answers import ANSWERS, answer_problem
from structnets.data.prepared.sharded_preparation import Members, prepare_shards
from structnets.data.prepared.sharding import Kind
from structnets.data.prepared.shards import ShardedSplit
from structnets.data.sets.preparation import Content, Preparation


def write(
    directory: str | os.PathLike[str],
    asked: Preparation,
    content: Content,
    kind: Kind = "jpeg",
    *,
    members: Mapping[str, Members] | None = None,
    answers: Mapping[str, Mapping[str, Sequence[Any]]] | None = None,
) -> dict[str, Any]:
    """Verify, resize and store the images that a data set's function listed.

    The data of `content` are, for ``train`` and ``test``, the originals with their labels in their
    final order, unless `members` are; with `answers`, by name and split, a label is a place among
    them (`structnets.data.prepared.shard_answers`). The prepare parameters are ``geometry`` and
    ``storage``, of which the entry's first is the default. Killed and started again, it continues
    (`structnets.data.prepared.sharded_preparation.prepare_shards`, which also knows `kind`).
    """
    facts = {
        "dataset": asked.name,
        "classes": list(content.classes or asked.entry.classes),
        "source": dict(content.source),
        "prepare": dict(asked.prepare),
        **(answers or {}),
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


def write_answered(
    directory: str | os.PathLike[str], asked: Preparation, content: Content, name: str
) -> dict[str, Any]:
    """Write pictures of any format with answers, one of `ANSWERS`, as `write`.

    The data of `content` are, for ``train`` and ``test``, the originals with their places, and
    their answers.
    """
    members = {split: files for split, (files, _) in content.data.items()}
    answers = {name: {split: of_split for split, (_, of_split) in content.data.items()}}
    return write(directory, asked, content, kind="picture", members=members, answers=answers)


def content_problems(directory: str | os.PathLike[str], manifest: Mapping[str, Any]) -> list[str]:
    """Compare answers that a manifest states, if any, with the files: its digest covers none."""
    found = []
    for name in sorted(ANSWERS):
        for split in SPLITS if f"{SPLITS[0]}_{name}.npy" in manifest["files"] else ():
            (stored,) = open_arrays(directory, f"{split}_{name}.npy")
            found.append(answer_problem(name, split, stored, manifest))
    return [problem for problem in found if problem]


def load_answers(
    directory: str | os.PathLike[str], split: Literal["train", "test"], name: str
) -> tuple[ShardedSplit, np.ndarray]:
    """Open the images of a split and their answers, one of `ANSWERS`.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder does not hold such data, or a file is not what its manifest says.
    """
    pictures = ShardedSplit(directory, split)  # compares all but the pixels with their checksums
    file = f"{split}_{name}.npy"
    check_files(directory, pictures.manifest, [file])
    (stored,) = open_arrays(directory, file)
    if problem := answer_problem(name, split, stored, pictures.manifest):
        raise ValueError(f"{directory} {problem}; {remedy(directory)}")
    return pictures, np.array(stored)
