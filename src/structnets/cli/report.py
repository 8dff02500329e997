"""``structnets report``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from structnets.cli.parsing import existing_folder
from structnets.cli.printing import print_json, waiting
from structnets.installation import find_checkout

EXAMPLES = (
    ("structnets report", "write results/report.html from the ledger and results/"),
    ("structnets report --results /data/results --out report.html", "of another results folder"),
)
_RESULTS = Path("results")
NOTES = """\
The file needs nothing beside it: it can be sent, opened without a network, and printed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        default=_RESULTS,
        help="root of the results, for pictures of trained nets (default: results)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="default: report.html in the results"
    )
    for option in ("ledger", "targets"):
        parser.add_argument(
            f"--{option}",
            type=Path,
            metavar="DIR",
            help=f"default: workflow/{option} of the checkout",
        )


def run(options: argparse.Namespace) -> None:
    """Write the report."""
    from structnets.reporting.report import write_report

    workflow = find_checkout("structnets report") / "workflow"
    ledger = existing_folder(options.ledger or workflow / "ledger")
    targets = existing_folder(options.targets or workflow / "targets")
    if options.results != _RESULTS:  # a fresh clone has none, and its report the ledger alone
        existing_folder(options.results)
    # The claims name cells of the checkout's own targets.
    claims = workflow / "claims" if options.targets is None else None
    out = options.out or options.results / "report.html"
    with waiting("reading the ledger and drawing"):
        counted = write_report(out, options.results, ledger, targets, claims)
    print(f"wrote {out}", file=sys.stderr)
    if options.json:
        print_json({"file": str(out), **counted})
