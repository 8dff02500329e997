"""Prepare BSDS500: images and annotators' boundaries become arrays with a manifest.

python -m pipelines.prepare_bsds --data-root DIR --out PREPARED/bsds500 [--merge majority]
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.boundary_set import BoundarySplit, write_boundary_set
from structnets.data.bsds import MERGES, SOURCE, load_bsds, positive_weight
from structnets.data.bsds_release import RELEASED

logger = logging.getLogger("prepare_bsds")


def prepare_bsds(data_root: Path, out: Path, merge: str = "at_least_3") -> dict[str, Any]:
    """Read BSDS500 below `data_root` and write `out`.

    Returns
    -------
    dict
        The manifest of `out`; ``counts`` compares each split with the release and gives the
        weight that balances its classes.

    Raises
    ------
    OSError, ValueError
        As `structnets.data.bsds.load_bsds` and
        `structnets.data.boundary_set.write_boundary_set` say.
    """
    splits = load_bsds(data_root, merge)
    facts = {"counts": _counts(splits), "source": {"archive": SOURCE}}
    return write_boundary_set(out, "bsds500", {"merge": merge}, splits, facts)


def _counts(splits: Mapping[str, BoundarySplit]) -> dict[str, Any]:
    return {
        name: {
            "images": len(split),
            "released": len(RELEASED[name]),
            "upright": sum(item["transposed"] for item in split.items),
            "annotators": sum(item["annotators"] for item in split.items),
            "positive_fraction": float(split.labels.mean()),
            "positive_weight": positive_weight(split.labels),
        }
        for name, split in splits.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--data-root", type=absolute, required=True, help="original data")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--merge", choices=list(MERGES), default="at_least_3")
    options = parser.parse_args(arguments)

    def action() -> None:
        manifest = prepare_bsds(options.data_root, options.out, options.merge)
        for name, counts in manifest["counts"].items():
            logger.info("%s: %d of %d images", name, counts["images"], counts["released"])
        logger.info("%s holds bsds500, digest %s", options.out, manifest["digest"])

    return run_stage("prepare_bsds", action)


if __name__ == "__main__":
    sys.exit(main())
