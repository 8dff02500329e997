"""Render one target from local results and the ledger, and log it to MLflow.

Command: ``python -m pipelines.render_target --targets workflow/targets --target figure6
--preset small --results DIR --scratch DIR --ledger workflow/ledger``
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.stage import add_target, run_stage, stage_parser, target_file
from pipelines.tracking.made_target import log_made
from structnets.cohorts.content import Contents
from structnets.reporting.cells import cells_of, local_lines
from structnets.reporting.formats import Rendering
from structnets.reporting.freshness import is_stale
from structnets.reporting.ledger import read_ledger
from structnets.reporting.rendering import write_rendering
from structnets.reporting.requests import load_experiments
from structnets.specs.target import load_table

log = logging.getLogger("render_target")


def render_target(
    table_file: Path,
    experiments: Path,
    preset: str,
    results: Path,
    ledger: Path,
    contents: Contents | None = None,
) -> tuple[Rendering, dict[str, Path]]:
    """Compute a target's cells and write its files.

    A run that is both in the ledger and in the local results counts once, as it is locally. Of the
    user's own data, only runs of the `contents` that are given are shown.

    Returns
    -------
    Rendering
        Table and cells.
    dict of str to pathlib.Path
        The files, by their path below `results`.
    """
    table = load_table(table_file)
    lines = {**read_ledger(ledger), **local_lines(results)}.values()
    cells = cells_of(
        table, load_experiments(experiments, [table], contents), preset, lines, is_stale
    )
    rendering = Rendering(table, preset, cells)
    return rendering, write_rendering(rendering, results)


def track(rendering: Rendering, files: dict[str, Path], results: Path, scratch: Path) -> None:
    """Log the rendering to MLflow; whatever happens there, the files stand."""
    target, preset = rendering.table.target, rendering.preset
    # Table and figure have a CSV of the same name each.
    named = {name.replace("/", "-"): path for name, path in files.items()}
    tags = {"provenance": rendering.provenance()}
    log_made(target, preset, named, rendering.run_ids(), results, scratch, tags)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage from a command line; return its exit code."""
    parser = stage_parser(__doc__, "results", "scratch")
    add_target(parser)
    parser.add_argument("--experiments", type=Path, help="default: experiments beside the targets")
    parser.add_argument("--preset", required=True, choices=["smoke", "small", "paper"])
    parser.add_argument(
        "--contents", type=json.loads, default={}, help="which content one's own data have, JSON"
    )
    parser.add_argument("--ledger", type=Path, required=True, help="folder of the ledger")
    given = parser.parse_args(arguments)

    def action() -> None:
        experiments = given.experiments or given.targets.parent / "experiments"
        rendering, files = render_target(
            target_file(given),
            experiments,
            given.preset,
            given.results,
            given.ledger,
            Contents(known=given.contents),
        )
        for path in files.values():
            log.info("wrote %s", path)
        track(rendering, files, given.results, given.scratch)

    return run_stage("render_target", action)


if __name__ == "__main__":
    sys.exit(main())
