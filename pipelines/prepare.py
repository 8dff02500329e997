"""Prepare a data set: what its entry's function reads is stored in its form, with a manifest.

python -m pipelines.prepare --data-json '{"name": "mnist"}' --data-root DIR --out PREPARED/mnist

Killed and started again, a data set in shards continues. Cohorts whose scans are registered are
prepared by `pipelines.prepare_mri`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.sets.entries.catalogue import read_request
from structnets.data.sets.preparation import Preparation
from structnets.forms.writing import prepare as store

logger = logging.getLogger("prepare")


def prepare(
    asked: Preparation, out: Path, *, download: bool = False, progress: bool = False
) -> dict[str, Any]:
    """Read a data set, downloading what is missing if asked, and write `out`.

    Parameters
    ----------
    asked : Preparation
        Which, how, and where its originals lie.
    out : Path
        Folder of the prepared data.
    download : bool
        Fetch missing published files from their mirrors first.
    progress : bool
        Show a bar while downloading.

    Returns
    -------
    dict
        The manifest of `out`.

    Raises
    ------
    OSError, ValueError
        As `structnets.forms.writing.prepare` says.
    """
    entry = asked.entry
    if download and entry.download:
        from structnets.data.originals.download import download as fetch

        for original in entry.missing(asked.prepare, asked.originals):
            if original.file is not None:
                place = asked.originals / original.places[0]
                fetch(original.file, place.parent, progress=progress)
    manifest = store(asked, out)
    for left_out in manifest.get("quarantined", ()):
        logger.warning("left out %s: %s", left_out["file"], left_out["reason"])
    return manifest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-json", required=True, help="data object of a spec")
    parser.add_argument("--data-root", type=absolute, help="original data; built-in sets need none")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--download", action="store_true", help="get missing published files")
    parser.add_argument("--progress", action="store_true", help="show a bar while downloading")
    options = parser.parse_args(arguments)

    def action() -> None:
        name, parameters = read_request(options.data_json)
        asked = Preparation(
            name,
            parameters,
            options.data_root,
            workers=options.workers,
            progress=lambda done, total: logger.info("part %d of %d", done, total),
        )
        manifest = prepare(asked, options.out, download=options.download, progress=options.progress)
        logger.info("%s holds %s, digest %s", options.out, name, manifest["digest"])

    return run_stage("prepare", action)


if __name__ == "__main__":
    sys.exit(main())
