"""``structnets targets [PATTERN]``."""

from __future__ import annotations

import argparse
import fnmatch
from pathlib import Path

from structnets.cli.printing import print_json, print_table
from structnets.entries import did_you_mean
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
    found = [one for one in described if fnmatch.fnmatchcase(one["target"], options.pattern)]
    if not found:
        near = did_you_mean(options.pattern, [one["target"] for one in described])
        raise ValueError(
            f"no target matches {options.pattern!r}{near}; `structnets targets` lists all"
        )
    if options.json:
        print_json(found)
    else:
        print_table(["target", "kind", "chapter", "title", "presets"], found)
