"""Preparation of a data set in shards: in parallel, resumable, whole or not at all.

Shards are written into ``.<name>.building`` beside the final folder. A preparation that is
killed leaves it there, and the next one with the same originals and parameters continues; only
when all is written do they get their final place.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from structnets.data.originals.tars import FileRange
from structnets.data.originals.verified_image import decoder
from structnets.data.prepared.manifest import MANIFEST, SPLITS, file_problem, load_manifest
from structnets.data.prepared.shard_merging import merge
from structnets.data.prepared.sharding import Kind, ShardTask, images_per_shard, write_shard
from structnets.data.prepared.shards import is_shard_file
from structnets.data.prepared.whole_folder import refuse_foreign, swap, writer_lock
from structnets.files import read_json, write_json
from structnets.identity import digest

Members = Sequence[tuple[FileRange, int]]
_PLAN = "plan.json"


def prepare_shards(
    directory: str | os.PathLike[str],
    splits: Mapping[str, Members],
    facts: Mapping[str, Any],
    *,
    geometry: str,
    storage: str,
    kind: Kind = "jpeg",
    workers: int = 1,
    shard_images: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Write a data set in shards, continuing a preparation that was killed.

    Parameters
    ----------
    directory : path
        The folder to make. If it already holds the same, it is not touched.
    splits : mapping
        For ``train`` and ``test``: the originals with their labels, in their final order.
    facts : mapping
        ``dataset``, ``prepare``, ``classes`` and ``source`` of the manifest. With ``scores``, by
        split a list of the originals' in order, labels are the places of originals.
    geometry, storage : str
        As `structnets.data.originals.verified_image.fit` and ``encode`` know them.
    kind : {"jpeg", "picture"}
        What the originals are (`structnets.data.prepared.sharding.ShardTask`).
    workers : int
        Processes. What they write does not depend on their number.
    shard_images : int
        Originals per shard; by default `structnets.data.prepared.sharding.images_per_shard`.
    progress : callable
        Told the number of shards done and their total, after every one.

    Returns
    -------
    dict
        The manifest: besides what every prepared data set states, ``form``, ``geometry``,
        ``storage``, ``statistics`` of the training images, ``quarantined`` files with the
        reasons, and how many images were ``converted`` from grey and CMYK.

    Raises
    ------
    ValueError
        If `directory` holds files of another kind, or no image of a class is usable.
    OSError
        If an original cannot be read or writing fails.
    """
    final = Path(directory).resolve()
    refuse_foreign(final, is_shard_file)
    final.parent.mkdir(parents=True, exist_ok=True)
    building = final.parent / f".{final.name}.building"
    with writer_lock(final):
        tasks = _make_tasks(building, splits, geometry, storage, kind, shard_images)
        plan = _plan_digest(tasks, facts)
        if (manifest := _finished(final, plan)) is None:
            _claim(building, plan)
            _write_all(tasks, workers, progress)
            manifest = merge(building / "data", tasks, {**facts, "plan": plan})
            swap(building / "data", final)
        shutil.rmtree(building, ignore_errors=True)
    return manifest


def _make_tasks(
    building: Path,
    splits: Mapping[str, Members],
    geometry: str,
    storage: str,
    kind: Kind,
    shard_images: int | None,
) -> list[ShardTask]:
    tasks = []
    for split in SPLITS:
        size = shard_images or images_per_shard(len(splits[split]))
        for number, start in enumerate(range(0, len(splits[split]), size)):
            files, labels = zip(*splits[split][start : start + size], strict=True)
            tasks.append(
                ShardTask(str(building), split, number, files, labels, geometry, storage, kind)
            )
    return tasks


def _plan_digest(tasks: Sequence[ShardTask], facts: Mapping[str, Any]) -> str:
    """Digest what decides the bytes of every shard."""
    content = [
        [
            *(task.split, task.number, task.geometry, task.storage),
            [[file.name, file.size] for file in task.files],
            list(task.labels),
        ]
        for task in tasks
    ]
    return digest({"tasks": content, "facts": dict(facts), "decoder": decoder()})


def _finished(final: Path, plan: str) -> dict[str, Any] | None:
    """Return the manifest of `final` if it was made by this plan and has all files."""
    if not (final / MANIFEST).is_file():
        return None
    try:
        manifest = load_manifest(final)
    except ValueError:
        return None
    files = manifest["files"].items()
    damaged = any(file_problem(final, name, entry, checksum=False) for name, entry in files)
    return None if damaged or manifest.get("plan") != plan else manifest


def _claim(building: Path, plan: str) -> None:
    """Take over what a preparation of the same plan left; remove what another one did."""
    path = building / _PLAN
    if building.exists() and (not path.is_file() or read_json(path) != plan):
        shutil.rmtree(building)
    for part in ("data", "records"):
        (building / part).mkdir(parents=True, exist_ok=True)
        for leftover in (building / part).glob(".*.part"):
            leftover.unlink()
    write_json(path, plan)


def _write_all(
    tasks: Sequence[ShardTask], workers: int, progress: Callable[[int, int], None]
) -> None:
    waiting = [task for task in tasks if not task.done()]
    ready = len(tasks) - len(waiting)
    if workers == 1:
        for number, task in enumerate(waiting, ready + 1):
            write_shard(task)
            progress(number, len(tasks))
        return
    # Spawned, not forked: the caller may hold threads and locks.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _end_with, (os.getpid(),)) as pool:
        try:
            for number, _ in enumerate(pool.map(write_shard, waiting), ready + 1):
                progress(number, len(tasks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _end_with(parent: int) -> None:
    """End this process when its parent is gone; a killed one would leave it waiting for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
