"""``structnets claims``."""

from __future__ import annotations

import argparse
from pathlib import Path

from structnets.cli.parsing import existing_folder
from structnets.cli.printing import print_json, print_table, waiting
from structnets.installation import find_checkout

EXAMPLES = (
    ("structnets claims", "every claim of the thesis, with what runs say of it"),
    ("structnets claims c3.small", "one of them"),
    ("structnets claims --json", "the same for a program, with intervals and the ids of the runs"),
)
NOTES = """\
A claim is supported if the whole 95 % interval of the mean paired difference lies on its side,
contradicted if it lies wholly on the other; three paired seeds at least. What is arithmetic and no
sample (memory, exact inverses) is decided by one measurement. Runs of the thesis' protocol and of a
reduced one decide apart."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("claim", nargs="?", metavar="CLAIM", help="its id (default: all)")
    for part in ("claims", "ledger", "targets"):
        parser.add_argument(
            f"--{part}",
            type=Path,
            metavar="DIR",
            help=f"folder of the {part} (default: workflow/{part} of the checkout)",
        )


def run(options: argparse.Namespace) -> None:
    """Print the verdicts."""
    from structnets.entries import did_you_mean
    from structnets.reporting.claims import verdicts

    given = {part: getattr(options, part) for part in ("claims", "ledger", "targets")}
    given = {part: folder and existing_folder(folder) for part, folder in given.items()}
    if not all(given.values()):
        workflow = find_checkout("structnets claims") / "workflow"
        given = {part: folder or workflow / part for part, folder in given.items()}
    with waiting("reading the ledger"):
        found = verdicts(**given, experiments=given["targets"].parent / "experiments")
    names = list(dict.fromkeys(one.claim for one in found))
    if options.claim not in (None, *names):
        near = did_you_mean(options.claim, names)
        raise ValueError(f"there is no claim {options.claim!r}{near}; they are {', '.join(names)}")
    rows = [one.as_dict() for one in found if options.claim in (None, one.claim)]
    if options.json:
        print_json(rows)
    else:
        columns = "claim protocol verdict difference interval n why statement where"
        print_table(columns.split(), rows)
