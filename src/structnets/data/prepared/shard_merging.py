"""The last step of a preparation in shards: indices, mean image and manifest of the whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from structnets.data.originals.verified_image import decoder, side_of
from structnets.data.prepared.arrays import save_array
from structnets.data.prepared.manifest import (
    MANIFEST,
    SPLITS,
    count_classes,
    write_manifest,
)
from structnets.data.prepared.shard_answers import ANSWERS, as_array, counted_as
from structnets.data.prepared.sharding import ShardTask
from structnets.data.prepared.shards import MEAN_IMAGE, SHARDS
from structnets.data.prepared.statistics import histogram_statistics
from structnets.files import file_facts, read_json, write_atomic


def merge(folder: Path, tasks: Sequence[ShardTask], facts: Mapping[str, Any]) -> dict[str, Any]:
    """Write what shards lack to be a data set into `folder`, beside them.

    Parameters
    ----------
    folder : Path
        Of the shards.
    tasks : sequence of ShardTask
        All of them, written.
    facts : mapping
        ``dataset``, ``prepare``, ``classes``, ``source`` and more entries of the manifest; with
        one of `structnets.data.prepared.shard_answers.ANSWERS`, by split those of its originals, a
        label is a place among them.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    ValueError
        If a class has no usable image.
    """
    geometry, storage = tasks[0].geometry, tasks[0].storage
    records = {task.path.name: read_json(task.record) for task in tasks}
    counts: dict[str, dict[str, int]] = {}
    kept: dict[str, dict[str, list[Any]]] = {}
    for split in SPLITS:
        of_split = [task for task in tasks if task.split == split]
        index = _write_names(folder, split, of_split, records)
        broken = [entry for task in of_split for entry in records[task.path.name]["quarantined"]]
        classes = facts["classes"]
        for name in ANSWERS & facts.keys():
            stored = _write_answers(folder, split, index, name, facts)
            kept.setdefault(name, {})[split] = stored
            classes = counted_as(name, stored, classes, split)
        counts[split] = _counts(split, index["label"], classes, broken)
        save_array(folder / f"{split}_index.npy", index)
    train = [task for task in tasks if task.split == "train"]
    if geometry.startswith("squash"):
        _write_mean_image(folder, train, sum(counts["train"].values()))
    files = {
        name: {key: record[key] for key in ("sha256", "size")} for name, record in records.items()
    }
    for path in sorted(folder.iterdir()):
        if path.name not in records and path.name != MANIFEST:
            files[path.name] = file_facts(path)
    histogram = np.sum([records[task.path.name]["histogram"] for task in train], axis=0)
    side = side_of(geometry)
    stated = {
        **facts,
        "form": SHARDS,
        "geometry": geometry,
        "storage": storage,
        "image_shape": [3, side, side],
        "counts": counts,
        "statistics": histogram_statistics(histogram),
        "quarantined": [entry for record in records.values() for entry in record["quarantined"]],
        "converted": dict(sum((Counter(r["converted"]) for r in records.values()), Counter())),
        **kept,
    }
    if sides := [side for task in train for side in records[task.path.name].get("sides", ())]:
        stated["sides"] = [min(sides), max(sides)]
    return write_manifest(folder, stated, files, **decoder())


def _write_names(
    folder: Path, split: str, tasks: Sequence[ShardTask], records: Mapping[str, Any]
) -> np.ndarray:
    """Write the file names of a split; return its index."""
    names = [name for task in tasks for name in records[task.path.name]["names"]]
    write_atomic(folder / f"{split}_names.txt", "".join(f"{name}\n" for name in names))
    return np.concatenate([np.load(task.index) for task in tasks])


def _write_answers(
    folder: Path, split: str, index: np.ndarray, name: str, facts: Mapping[str, Any]
) -> list[Any]:
    """Write the answers of the images that were stored, whose labels become 0; return them."""
    stored = [facts[name][split][place] for place in index["label"]]
    save_array(folder / f"{split}_{name}.npy", as_array(name, stored, facts["classes"]))
    index["label"] = 0
    return stored


def _counts(
    split: str, labels: np.ndarray, classes: Sequence[str], broken: Sequence[Mapping[str, str]]
) -> dict[str, int]:
    counts = count_classes(labels, classes)
    if empty := [name for name, count in counts.items() if not count]:
        first = f" ({broken[0]['file']}: {broken[0]['reason']})" if broken else ""
        raise ValueError(f"no image of class {', '.join(empty)} in {split} is usable{first}")
    return counts


def _write_mean_image(folder: Path, tasks: Sequence[ShardTask], images: int) -> None:
    """Write the mean of the training images, (3, side, side) float32 in 0..255, as Caffe takes."""
    total = np.load(tasks[0].total)
    for task in tasks[1:]:
        total += np.load(task.total)
    save_array(folder / MEAN_IMAGE, (total / images).astype(np.float32))
