"""Prepare MNIST: the four original idx files become arrays with a manifest.

python -m pipelines.prepare_mnist --data-root DIR --out PREPARED/mnist [--download] [--progress]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.prepared.arrays import write_prepared
from structnets.data.sets.catalogue import parse_request
from structnets.data.sets.mnist import CLASSES, FILES, load_mnist, mnist_folder, mnist_source

logger = logging.getLogger("prepare_mnist")


def prepare_mnist(
    data_root: Path,
    out: Path,
    *,
    download: bool = False,
    progress: bool = False,
    verify_checksums: bool = True,
) -> dict[str, Any]:
    """Read ``<data_root>/mnist/*.gz``, downloading what is missing if asked, and write `out`.

    Returns
    -------
    dict
        The manifest of `out`.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.sets.mnist.load_mnist` and `structnets.data.write_prepared` say.
    """
    if download:
        from structnets.data.originals.download import download as fetch

        for file in FILES.values():
            fetch(file, mnist_folder(data_root), progress=progress)
    arrays = load_mnist(data_root, verify_checksums=verify_checksums)
    return write_prepared(out, "mnist", {}, arrays, CLASSES, mnist_source(data_root))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, to check its parameters")
    parser.add_argument("--download", action="store_true", help="get missing files from mirrors")
    parser.add_argument("--progress", action="store_true", help="show a bar while downloading")
    options = parser.parse_args(arguments)

    def action() -> None:
        if options.data_json is not None:
            parse_request(options.data_json, "mnist")
        manifest = prepare_mnist(
            options.data_root, options.out, download=options.download, progress=options.progress
        )
        logger.info("%s holds mnist, digest %s", options.out, manifest["digest"])

    return run_stage("prepare_mnist", action)


if __name__ == "__main__":
    sys.exit(main())
