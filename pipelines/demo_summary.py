"""Say in a few lines what the demo made, where to look, and what to try next.

Command: ``python -m pipelines.demo_summary --results DIR``
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from pipelines.stage import run_stage, stage_parser
from structnets.files import read_json
from structnets.reporting.intervals import student_interval

TARGET = "demo_digits"
# What else is worth a look, with what it shows.
_PICTURES = (
    ("figures/demo_digits.svg", "accuracy against the number of training images"),
    ("figures/figure20.svg", "pictures made again from an invertible net's features"),
    ("figures/demo_outlines.svg", "outlines found in made images and in a photograph"),
    ("figures/demo_brain.svg", "an average brain as a layer of Gaussian derivatives sees it"),
    ("tables/table5.html", "made brains, cross-validated"),
)
_NEXT = (
    ("make ui", "every run with its curve, data and net, in MLflow"),
    ("make report", "all tables and figures on one page"),
    ("structnets new-study --images DIR", "the same on pictures of your own"),
)


def differences(cells: Sequence[dict[str, Any]], results: Path) -> dict[str, tuple[float, ...]]:
    """Return by column the accuracies of structured minus plain, one for each seed both have."""
    found = {}
    by_place = {(cell["row"], cell["column"]): cell["run_ids"] for cell in cells}
    for column in dict.fromkeys(cell["column"] for cell in cells):
        both = [_by_seed(by_place[row, column], results) for row in ("structured", "plain")]
        seeds = sorted(both[0].keys() & both[1].keys())
        found[column] = tuple(both[0][seed] - both[1][seed] for seed in seeds)
    return found


def _by_seed(run_ids: Sequence[str], results: Path) -> dict[int, float]:
    read = [read_json(results / "runs" / run / "result.json") for run in run_ids]
    return {result["spec"]["seed"]: result["metrics"]["accuracy"] for result in read}


def result_table(content: dict[str, Any], results: Path) -> Table:
    """Return the demo's one result as a table for the terminal."""
    cells = {(cell["row"], cell["column"]): cell for cell in content["cells"]}
    gained = differences(content["cells"], results)
    table = Table(
        "images", "Gaussian derivatives", "free pixels", "difference (95 % interval)",
        title="Handwritten digits (built in): test accuracy in %, by number of training images; "
        "three runs each",
        title_justify="left",
    )  # fmt: skip
    for column, values in gained.items():
        shown = [
            f"{cell['mean']:.1f} ± {cell['sd']:.1f}"
            for cell in (cells["structured", column], cells["plain", column])
        ]
        told = f"{statistics.fmean(values):+.1f}"
        if interval := student_interval(values):
            told += "  ({:+.1f} to {:+.1f})".format(*interval)
        table.add_row(column.removeprefix("n"), *shown, told)
    return table


def _from_here(path: Path) -> str:
    """Write a path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def summarize(results: Path, console: Console) -> None:
    """Write the summary of the results of a demo.

    Raises
    ------
    FileNotFoundError
        If the demo has not been made there.
    """
    file = results / "tables" / f"{TARGET}.json"
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: run `make demo` first")
    console.print(result_table(read_json(file), results))
    made = {
        kind: len(list((results / kind).glob(pattern)))
        for kind, pattern in (
            ("tables", "*.html"), ("figures", "*.svg"), ("sweeps", "*"), ("runs", "*"),
        )
    }  # fmt: skip
    made["trainings"] = made.pop("runs")
    counted = (f"{count} {kind if count != 1 else kind[:-1]}" for kind, count in made.items())
    console.print(
        f"Made in all: {', '.join(counted)}. The nets behind the digits above and the outlines "
        "below are trained to the end. All others are trained for a few steps on built-in data: "
        "they show that everything works, and their cells say 'ran'."
    )
    places = Table(
        Column("where to look", overflow="fold"), "what it shows", box=None, pad_edge=False
    )
    for name, what in _PICTURES:
        if (results / name).is_file():
            places.add_row(_from_here(results / name), what)
    console.print(places)
    commands = Table("next", "", box=None, pad_edge=False)
    for command, what in _NEXT:
        commands.add_row(command, what)
    console.print(commands)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    given = stage_parser(__doc__, "results").parse_args(arguments)
    return run_stage("demo", lambda: summarize(given.results, Console(highlight=False)))


if __name__ == "__main__":
    sys.exit(main())
