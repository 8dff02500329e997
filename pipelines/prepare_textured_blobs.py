"""Prepare textured blobs: the textures of training images, and a fixed test set.

python -m pipelines.prepare_textured_blobs --data-root DIR --out PREPARED/textured_blobs
    [--data-json '{"name": "textured_blobs", "prepare": {"difficulty": "hard"}}']

The textures are KTH-TIPS' (``<data-root>/kth_tips_gray``), or scikit-image's built-in ones, which
need no file.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.sets.catalogue import find_dataset, parse_request
from structnets.data.sets.textures import load_textures
from structnets.forms.blobs.stored import NAME, write_blob_set

logger = logging.getLogger("prepare_textured_blobs")


def prepare_textured_blobs(
    data_root: Path, out: Path, prepare: Mapping[str, Any]
) -> dict[str, Any]:
    """Read textures and write `out`; return its manifest.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.sets.textures.load_textures` and
        `structnets.forms.blobs.stored.write_blob_set` say.
    """
    allowed = find_dataset(NAME).parameters
    asked = {key: prepare.get(key, values[0]) for key, values in allowed.items()}
    root = data_root if asked["textures"] == "kth_tips" else None
    train, test = (load_textures(root, split) for split in ("train", "test"))
    return write_blob_set(out, prepare, str(asked["difficulty"]), train, test)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, for its parameters")
    options = parser.parse_args(arguments)

    def action() -> None:
        text = options.data_json
        prepare = {} if text is None else parse_request(text, NAME)
        manifest = prepare_textured_blobs(options.data_root, options.out, prepare)
        logger.info("%s holds %s, digest %s", options.out, NAME, manifest["digest"])

    return run_stage("prepare_textured_blobs", action)


if __name__ == "__main__":
    sys.exit(main())
