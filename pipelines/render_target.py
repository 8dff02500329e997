"""Render one target from local results and the ledger, and log it to MLflow.

Command: ``python -m pipelines.render_target --targets workflow/targets --target figure6
--preset small --results DIR --scratch DIR --ledger workflow/ledger``
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.stage import add_target, run_stage, stage_parser, target_file
from pipelines.tracking.cross_validations import CrossValidation
from pipelines.tracking.descriptions import of_target
from pipelines.tracking.made_target import log_folds, log_made
from structnets.cohorts.content import Contents
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.reporting.cells import cells_of, local_lines
from structnets.reporting.freshness import is_stale
from structnets.reporting.ledger import Line, read_ledger
from structnets.reporting.rendering import Rendering
from structnets.reporting.requests import load_experiments
from structnets.reporting.writing import write_rendering
from structnets.specs.target import load_table

log = logging.getLogger("render_target")
Lines = Mapping[str, Line]


def render_target(
    table_file: Path,
    experiments: Path,
    preset: str,
    results: Path,
    ledger: Path,
    contents: Contents | None = None,
) -> tuple[Rendering, dict[str, Path], Lines]:
    """Compute a target's cells and write its files.

    A run that is both in the ledger and in the local results counts once, as it is locally. Of the
    user's own data, only runs of the `contents` that are given are shown.

    Returns
    -------
    Rendering
        Table and cells.
    dict of str to pathlib.Path
        The files, by their path below `results`.
    dict of str to dict
        The ledger lines of all runs there are, by run id.
    """
    table = load_table(table_file)
    lines = {**read_ledger(ledger), **local_lines(results)}
    known = load_experiments(experiments, [table], contents)
    rendering = Rendering(table, preset, cells_of(table, known, preset, lines.values(), is_stale))
    return rendering, write_rendering(rendering, results), lines


def track(
    rendering: Rendering, files: dict[str, Path], lines: Lines, results: Path, scratch: Path
) -> None:
    """Log the rendering to MLflow; whatever happens there, the files stand."""
    table, preset = rendering.table, rendering.preset
    # Table and figure have a CSV of the same name each.
    named = {name.replace("/", "-"): path for name, path in files.items()}
    provenance = rendering.provenance()
    log_made(
        table.target,
        preset,
        named,
        rendering.run_ids(),
        results,
        scratch,
        {"provenance": provenance},
        of_target(table.target, preset, table.title, table.caption, provenance),
        cell_metrics(rendering),
    )
    for found in cross_validations(rendering, lines):
        log_folds(found, results, scratch)


def cell_metrics(rendering: Rendering) -> dict[str, float]:
    """Return the numbers of a target by name: ``row/column``, and what is pooled over folds."""
    numbers: dict[str, float] = {}
    for cell in rendering.cells:
        name = f"{cell.row}/{cell.column}"
        if cell.mean is not None:
            numbers[name] = cell.mean
        if cell.pooled is not None:
            numbers[f"{name}/pooled"] = cell.pooled
    return numbers


def cross_validations(rendering: Rendering, lines: Lines) -> list[CrossValidation]:
    """Return the cells whose runs each hold out a fold, one for each row that has some.

    The columns of such a row are scores of the same runs.
    """
    found: dict[tuple[str, ...], CrossValidation] = {}
    for cell in rendering.measured():
        spec = lines[cell.run_ids[0]]["spec"]
        if not find_dataset(spec["data"]["name"]).cohort:
            continue
        score = cell.mean if cell.pooled is None else cell.pooled
        metric, runs = rendering.table.metric_of(cell.column), tuple(cell.run_ids)
        known = found.get(runs)
        scores = {**(known.scores if known else {}), metric: score}
        place = f"{rendering.table.target}/{cell.row}/{cell.column}"
        found[runs] = CrossValidation(
            spec, known.cell if known else place, runs, scores, cell.pooled is not None
        )
    return list(found.values())


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
        rendering, files, lines = render_target(
            target_file(given),
            experiments,
            given.preset,
            given.results,
            given.ledger,
            Contents(known=given.contents),
        )
        for path in files.values():
            log.info("wrote %s", path)
        track(rendering, files, lines, given.results, given.scratch)

    return run_stage("render_target", action)


if __name__ == "__main__":
    sys.exit(main())
