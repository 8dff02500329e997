"""``structnets reproduce TARGET ROW COLUMN``."""

from __future__ import annotations

import argparse
import subprocess
import sys

from structnets.cli.printing import print_json
from structnets.installation import find_checkout

EXAMPLES = (
    ("structnets reproduce table6 image resnet20 --seed 1", "the call that trains this run again"),
    ("structnets reproduce figure6 RFNN 300", "the same by the labels of the row and column"),
    ("structnets reproduce table6 image resnet20 --run --data-root DIR", "make it"),
)
NOTES = """\
The call trains one run, also where the ledger holds it, and writes its result.json below the
results; nothing else is made."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("target", metavar="TARGET", help="a table or figure with cells")
    parser.add_argument("row", metavar="ROW", help="key or label of the row")
    parser.add_argument("column", metavar="COLUMN", help="key or label of the column")
    parser.add_argument("--seed", type=int, default=0, help="of the run (default: 0)")
    parser.add_argument(
        "--preset",
        choices=("smoke", "small", "paper"),
        help="default: that of the cell's run in the ledger, else small",
    )
    parser.add_argument("--data-root", metavar="DIR", help="folder of the original data")
    parser.add_argument("--results", metavar="DIR", help="root of the results")
    parser.add_argument("--run", dest="make", action="store_true", help="run the call")


def run(options: argparse.Namespace) -> int:
    """Print the call, and run it if that is asked for."""
    from structnets.reporting.reproduction import reproduction

    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}; it must be 0 or more")
    checkout = find_checkout("structnets reproduce")
    named = {"data_root": options.data_root, "results": options.results}
    found = reproduction(
        checkout / "workflow",
        options.target,
        options.row,
        options.column,
        options.seed,
        options.preset,
        {key: value for key, value in named.items() if value is not None},
    )
    if options.json:
        print_json(found.as_dict())
    else:
        print(found.call)
    if not options.make:
        return 0
    sys.stdout.flush()
    call = [sys.executable, "-m", *found.words]
    return subprocess.run(call, cwd=checkout, check=False, stdout=sys.stderr).returncode
