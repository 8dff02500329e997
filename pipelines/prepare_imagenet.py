"""Prepare ImageNet: the original archives, or their folders, become shards with a manifest.

python -m pipelines.prepare_imagenet --data-root DIR --out PREPARED/imagenet --workers 16

Killed and started again, it continues.
"""

from __future__ import annotations

import logging
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.sets.catalogue import DATASETS, class_count, read_request
from structnets.data.sets.completeness import check_whole
from structnets.data.sets.imagenet import (
    Originals,
    compare_with_released,
    find_originals,
    select_classes,
)
from structnets.data.sets.photo_archives import write_photo_archives
from structnets.data.sets.photo_crops import photo_source

NAME, BUILTIN = "imagenet", "photo_shards"
logger = logging.getLogger("prepare_imagenet")


def prepare_imagenet(
    data_root: Path, out: Path, prepare: Mapping[str, Any], *, workers: int = 1
) -> dict[str, Any]:
    """Read ``<data_root>/imagenet``, choose classes, verify and resize images, write `out`.

    Parameters
    ----------
    data_root : Path
        Folder of all original data sets.
    out : Path
        Folder of the prepared data.
    prepare : mapping
        ``classes``: the 10, 100 or 1000 (default) largest by bytes; ``geometry``: squash256
        (default), short256 or short320; ``storage``: raw (default) or jpeg; ``partial``: true
        for a copy that is not all of ImageNet (then without ``classes``: all that are there).
    workers : int
        Processes.

    Returns
    -------
    dict
        The manifest of `out`.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.sets.imagenet.find_originals`,
        `structnets.data.sets.completeness.check_whole` and
        `structnets.data.prepared.sharded_preparation.prepare_shards` say.
    """
    folder = data_root / NAME
    originals = find_originals(folder, partial=bool(prepare.get("partial")))
    check_whole(NAME, originals.counts(), prepare, folder)
    number = class_count(NAME, prepare)
    if prepare.get("partial") and "classes" not in prepare:
        number = len(originals.train)
    classes = select_classes(originals.train, number)
    released = compare_with_released(originals.train)
    if released.startswith("different"):
        logger.warning("the ten largest classes are not those of the thesis: %s", released)
    source = {
        "images": dict(zip(("train", "test"), originals.counts(), strict=True)),
        "selection": "largest classes by bytes",
        "released_ten_classes": released,
    }
    facts = {"dataset": NAME, "classes": classes, "source": source}
    return _write(out, _splits(originals, classes), facts, prepare, workers)


def prepare_photo_shards(
    out: Path, prepare: Mapping[str, Any], *, workers: int = 1
) -> dict[str, Any]:
    """Make archives of the built-in photographs as ImageNet's, read them as those, write `out`.

    Parameters are those of `prepare_imagenet`, with ``geometry`` and ``storage`` alone.
    """
    with tempfile.TemporaryDirectory() as made:
        write_photo_archives(Path(made))
        originals = find_originals(Path(made), partial=True)
        check_whole(BUILTIN, originals.counts(), prepare, made)
        splits = _splits(originals, select_classes(originals.train, len(originals.train)))
        facts = {"dataset": BUILTIN, "classes": list(DATASETS[BUILTIN].classes)}
        return _write(out, splits, {**facts, "source": photo_source()}, prepare, workers)


def _write(
    out: Path,
    splits: Mapping[str, Any],
    facts: Mapping[str, Any],
    prepare: Mapping[str, Any],
    workers: int,
) -> dict[str, Any]:
    parameters = DATASETS[facts["dataset"]].parameters
    return prepare_shards(
        out,
        splits,
        {**facts, "prepare": dict(prepare)},
        geometry=prepare.get("geometry", parameters["geometry"][0]),
        storage=prepare.get("storage", parameters["storage"][0]),
        workers=workers,
        progress=lambda done, total: logger.info("shard %d of %d", done, total),
    )


def _splits(originals: Originals, classes: Sequence[str]) -> dict[str, list[Any]]:
    """List the images of the chosen classes with their labels, class by class."""
    return {
        split: [
            (file, label)
            for label, wnid in enumerate(classes)
            for file in sorted(found[wnid], key=lambda file: file.name)
        ]
        for split, found in (("train", originals.train), ("test", originals.test))
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-root", type=absolute, help="original data; photo_shards need none")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, by default ImageNet's")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)

    def action() -> None:
        name, prepare = read_request(options.data_json or f'{{"name": "{NAME}"}}')
        if name not in (NAME, BUILTIN):
            raise ValueError(f"this prepares {NAME} and {BUILTIN}, not {name!r}")
        if name == BUILTIN:
            manifest = prepare_photo_shards(options.out, prepare, workers=options.workers)
        elif options.data_root is None:
            raise ValueError(f"{NAME} needs --data-root, the folder that holds {NAME}/")
        else:
            manifest = prepare_imagenet(
                options.data_root, options.out, prepare, workers=options.workers
            )
        for entry in manifest["quarantined"]:
            logger.warning("left out %s: %s", entry["file"], entry["reason"])
        logger.info("%s holds %s, digest %s", options.out, name, manifest["digest"])

    return run_stage("prepare_imagenet", action)


if __name__ == "__main__":
    sys.exit(main())
