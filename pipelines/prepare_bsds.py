"""Prepare BSDS500: images and annotators' boundaries become arrays with a manifest.

python -m pipelines.prepare_bsds --data-root DIR --out PREPARED/bsds500
    [--data-json '{"name": "bsds500", "prepare": {"merge": "majority", "partial": true}}']
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.sets.bsds import SOURCE, load_bsds
from structnets.data.sets.bsds_release import RELEASED
from structnets.data.sets.catalogue import parse_request
from structnets.data.sets.completeness import check_whole
from structnets.forms.boundaries.stored import BoundarySplit, count_boundaries, write_boundary_set

logger = logging.getLogger("prepare_bsds")
NAME = "bsds500"


def prepare_bsds(
    data_root: Path, out: Path, prepare: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Read BSDS500 below `data_root` and write `out`.

    Parameters
    ----------
    data_root, out : pathlib.Path
        Where from and where to.
    prepare : mapping, optional
        ``merge``: what makes a pixel a boundary (`structnets.data.sets.bsds.MERGES`); ``partial``
        accepts a copy that lacks images.

    Returns
    -------
    dict
        The manifest of `out`; ``counts`` compares each split with the release and gives the
        weight that balances its classes.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.sets.bsds.load_bsds`, `structnets.data.sets.completeness.check_whole`
        and `structnets.forms.boundaries.stored.write_boundary_set` say.
    """
    prepare = prepare or {}
    splits = load_bsds(data_root, prepare.get("merge", "at_least_3"))
    found = (len(splits["train"]) + len(splits["val"]), len(splits["test"]))
    check_whole(NAME, found, prepare, data_root / NAME)
    facts = {"counts": _counts(splits), "source": {"archive": SOURCE}}
    return write_boundary_set(out, NAME, prepare, splits, facts)


def _counts(splits: Mapping[str, BoundarySplit]) -> dict[str, Any]:
    return {
        name: {
            **count_boundaries(split),
            "released": len(RELEASED[name]),
            "upright": sum(item["transposed"] for item in split.items),
        }
        for name, split in splits.items()
    }


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
        manifest = prepare_bsds(options.data_root, options.out, prepare)
        for name, counts in manifest["counts"].items():
            logger.info("%s: %d of %d images", name, counts["images"], counts["released"])
        logger.info("%s holds bsds500, digest %s", options.out, manifest["digest"])

    return run_stage("prepare_bsds", action)


if __name__ == "__main__":
    sys.exit(main())
