"""``structnets new-study --images DIR``: the file of a study, from what lies in a folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

EXAMPLES = (
    ("structnets new-study --images pictures --out my.yaml", "a folder with a folder per class"),
    ("structnets new-study --images pictures", "print it"),
)
NOTES = """\
Run what was written: snakemake --profile profiles/local study --config study=my.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        required=True,
        help="a folder for each class, or train and test with those",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there, where nothing is (default: print)"
    )


def run(options: argparse.Namespace) -> None:
    """Write the study."""
    from structnets.cli.printing import print_json, waiting
    from structnets.files import write_atomic
    from structnets.pictures.new_study import write_study

    if options.out is not None and options.out.exists():
        raise ValueError(f"{options.out} is there already: remove it, or choose another --out")
    with waiting(f"reading {options.images}"):
        text = write_study(options.images)
    if options.json:
        from yaml import safe_load

        print_json(safe_load(text))
    if options.out is not None:
        write_atomic(options.out, text)
        print(
            f"wrote {options.out}; run it:\n"
            f"  snakemake --profile profiles/local study --config study={options.out}",
            file=sys.stderr,
        )
    elif not options.json:
        print(text, end="")
