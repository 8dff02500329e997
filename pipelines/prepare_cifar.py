"""Prepare CIFAR: original pickles, or parquet of JPEGs, become arrays with a manifest.

python -m pipelines.prepare_cifar cifar10 --data-root DIR --out PREPARED/cifar10 [--download]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.prepared.arrays import write_prepared
from structnets.data.prepared.statistics import channel_statistics
from structnets.data.sets.catalogue import DATASETS, parse_request
from structnets.data.sets.cifar import FORMS, load_cifar
from structnets.data.sets.cifar_jpeg import NAME as JPEG
from structnets.data.sets.cifar_jpeg import load_cifar_jpeg
from structnets.data.sets.completeness import check_whole

logger = logging.getLogger("prepare_cifar")


def prepare_cifar(
    name: str,
    data_root: Path,
    out: Path,
    prepare: Mapping[str, Any],
    *,
    download: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Read ``<data_root>/<name>``, downloading the archive if asked, and write `out`.

    Returns
    -------
    dict
        The manifest of `out`, with the statistics of the training images.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.sets.cifar.load_cifar`,
        `structnets.data.sets.cifar_jpeg.load_cifar_jpeg`,
        `structnets.data.sets.completeness.check_whole` and `structnets.data.write_prepared` say.
    """
    folder = data_root / name
    if name == JPEG:
        arrays, source = load_cifar_jpeg(data_root)
    else:
        if download and not (folder / FORMS[name].folder).exists():
            from structnets.data.originals.download import download as fetch

            fetch(FORMS[name].archive, folder, progress=progress)
        arrays, source = load_cifar(data_root, name, partial=bool(prepare.get("partial")))
    counts = (len(arrays["train_labels"]), len(arrays["test_labels"]))
    check_whole(name, counts, prepare, folder)
    statistics = channel_statistics(arrays["train_images"])
    classes = DATASETS[name].classes
    return write_prepared(out, name, prepare, arrays, classes, source, statistics=statistics)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("name", choices=[*FORMS, JPEG], help="which of them")
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, for its parameters")
    parser.add_argument("--download", action="store_true", help="get a missing archive")
    parser.add_argument("--progress", action="store_true", help="show a bar while downloading")
    options = parser.parse_args(arguments)

    def action() -> None:
        text, name = options.data_json, options.name
        manifest = prepare_cifar(
            name,
            options.data_root,
            options.out,
            {} if text is None else parse_request(text, name),
            download=options.download,
            progress=options.progress,
        )
        logger.info("%s holds %s, digest %s", options.out, name, manifest["digest"])

    return run_stage("prepare_cifar", action)


if __name__ == "__main__":
    sys.exit(main())
