"""Prepare ImageNet: the original archives, or their folders, become shards with a manifest.

python -m pipelines.prepare_imagenet --data-root DIR --out PREPARED/imagenet --workers 16

Killed and started again, it continues.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.catalogue import DATASETS, class_count, parse_request
from structnets.data.completeness import check_whole
from structnets.data.imagenet import (
    Originals,
    compare_with_released,
    find_originals,
    select_classes,
)
from structnets.data.sharded_preparation import prepare_shards

NAME = "imagenet"
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
        As `structnets.data.imagenet.find_originals`, `structnets.data.completeness.check_whole`
        and `structnets.data.sharded_preparation.prepare_shards` say.
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
    parameters = DATASETS[NAME].parameters
    return prepare_shards(
        out,
        _splits(originals, classes),
        {"dataset": NAME, "prepare": dict(prepare), "classes": classes, "source": source},
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
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, for its parameters")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args(arguments)

    def action() -> None:
        text = options.data_json
        prepare = {} if text is None else parse_request(text, NAME)
        manifest = prepare_imagenet(
            options.data_root, options.out, prepare, workers=options.workers
        )
        for entry in manifest["quarantined"]:
            logger.warning("left out %s: %s", entry["file"], entry["reason"])
        logger.info("%s holds imagenet, digest %s", options.out, manifest["digest"])

    return run_stage("prepare_imagenet", action)


if __name__ == "__main__":
    sys.exit(main())
