"""``structnets results [TARGET]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from structnets.cli.printing import print_json, print_table, waiting
from structnets.entries import did_you_mean
from structnets.files import write_atomic
from structnets.specs.renamed import RefusedOption

EXAMPLES = (
    ("structnets results", "every measured cell beside the thesis' value"),
    ("structnets results table7", "those of one target"),
    ("structnets results table7 --json", "the same for a program, with the ids of the runs"),
    ("structnets results --write RESULTS.md", "all of it as one page"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("target", nargs="?", metavar="TARGET", help="its name (default: all)")
    checkout = Path(__file__).parents[3]
    for option, what in (("ledger", "ledger"), ("targets", "target files")):
        parser.add_argument(
            f"--{option}",
            type=Path,
            metavar="DIR",
            default=checkout / "workflow" / option,
            help=f"folder of the {what} (default: workflow/{option} of the checkout)",
        )
    parser.add_argument("--tables", action=RefusedOption, help=argparse.SUPPRESS)
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="write all of them as Markdown (RESULTS.md)"
    )


def run(options: argparse.Namespace) -> None:
    """Print the results, or write them as a page."""
    for folder in (options.ledger, options.targets):
        if not folder.is_dir():
            raise FileNotFoundError(
                f"{folder} is not a folder; run in a checkout, or give --ledger and --targets"
            )
    from structnets.reporting import results
    from structnets.specs.target import load_targets

    names = [one["target"] for one in load_targets(options.targets).describe()]
    if options.target not in (None, *names):
        near = did_you_mean(options.target, names)
        raise ValueError(
            f"there is no target {options.target!r}{near}; `structnets targets` lists all"
        )
    with waiting("reading the ledger and comparing it with today's code"):
        if options.write is not None:
            write_atomic(options.write, results.markdown(options.ledger, options.targets))
            print(f"wrote {options.write}", file=sys.stderr)
        if options.write is not None and not options.json:
            return
        rows = results.rows(options.ledger, options.targets)
    found = [row for row in rows if options.target in (None, row["target"])]
    if options.json:
        print_json(found)
    elif found:
        columns = "target row column preset data mean sd n thesis hardware stale"
        print_table(columns.split(), found)
    else:
        print(f"the ledger has no run of {options.target or 'any target'}", file=sys.stderr)
