"""Prepare a built-in data set of the smoke preset, digits for one: no file is needed.

python -m pipelines.prepare_builtin --name digits --out PREPARED/digits
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.stage import absolute, run_stage, stage_parser
from structnets.data.prepared.arrays import write_prepared
from structnets.data.prepared.statistics import channel_statistics
from structnets.data.sets.catalogue import find_dataset, parse_request
from structnets.forms.boundaries.stored import count_boundaries, write_boundary_set

logger = logging.getLogger("prepare_builtin")
# Module of each, with the functions that make its arrays or splits and say where they come from.
BUILTIN = {
    "digits": ("structnets.data.sets.digits", "load_digits", "digits_source"),
    "photo_crops": ("structnets.data.sets.photo_crops", "load_photo_crops", "photo_source"),
    "made_boundaries": (
        "structnets.data.sets.made_boundaries",
        "load_made_boundaries",
        "made_source",
    ),
}


def prepare_builtin(name: str, out: Path) -> dict[str, Any]:
    """Make the data set `name` and write `out`; return its manifest."""
    module_name, load, source = BUILTIN[name]
    module = importlib.import_module(module_name)
    arrays, origin = getattr(module, load)(), getattr(module, source)()
    facts = find_dataset(name)
    if facts.form == "boundaries":
        counts = {split: count_boundaries(part) for split, part in arrays.items()}
        return write_boundary_set(out, name, {}, arrays, {"counts": counts, "source": origin})
    colours = facts.image_shape[0] > 1  # only those are standardised in training
    statistics = channel_statistics(arrays["train_images"]) if colours else None
    return write_prepared(out, name, {}, arrays, facts.classes, origin, statistics=statistics)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__)
    parser.add_argument("--name", choices=sorted(BUILTIN), required=True, help="data set")
    parser.add_argument("--out", type=absolute, required=True, help="folder of the prepared data")
    parser.add_argument("--data-json", help="data object of a spec, to check its parameters")
    options = parser.parse_args(arguments)

    def action() -> None:
        if options.data_json is not None:
            parse_request(options.data_json, options.name)
        manifest = prepare_builtin(options.name, options.out)
        logger.info("%s holds %s, digest %s", options.out, options.name, manifest["digest"])

    return run_stage("prepare_builtin", action)


if __name__ == "__main__":
    sys.exit(main())
