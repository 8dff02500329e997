"""Prepare the built-in digits of the smoke preset (scikit-learn's, enlarged; not MNIST).

python -m pipelines.prepare_digits --out PREPARED/digits
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data import write_prepared
from structnets.data.catalogue import parse_request
from structnets.data.digits import CLASSES, digits_source, load_digits

logger = logging.getLogger("prepare_digits")


def prepare_digits(out: Path) -> dict[str, Any]:
    """Make the digits and write `out`; return its manifest."""
    return write_prepared(out, "digits", {}, load_digits(), CLASSES, digits_source())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, to check its parameters")
    options = parser.parse_args(arguments)

    def action() -> None:
        if options.data_json is not None:
            parse_request(options.data_json, "digits")
        manifest = prepare_digits(options.out)
        logger.info("%s holds digits, digest %s", options.out, manifest["digest"])

    return run_stage("prepare_digits", action)


if __name__ == "__main__":
    sys.exit(main())
