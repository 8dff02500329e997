"""``structnets targets [PATTERN]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from structnets.cli.matching import matching
from structnets.cli.printing import print_json, print_table
from structnets.installation import find_checkout

EXAMPLES = (
    ("structnets targets", "everything that can be asked for by name"),
    ("structnets targets 'table*'", "the tables"),
    ("structnets targets figure6 --json", "its rows, columns and presets as JSON"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("pattern", nargs="?", default="*", help="shell-style pattern of names")
    parser.add_argument(
        "--targets",
        type=Path,
        metavar="DIR",
        help="folder of the target files (default: workflow/targets of the checkout)",
    )


def run(options: argparse.Namespace) -> None:
    """Print the targets."""
    from structnets.specs.target import load_targets

    folder = options.targets or find_checkout("structnets targets") / "workflow" / "targets"
    described = load_targets(folder).describe()
    names = matching([one["target"] for one in described], options.pattern, "targets")
    found = [one for one in described if one["target"] in names]
    if options.json:
        print_json(found)
    else:
        print_table(["target", "kind", "chapter", "title", "presets"], found)
