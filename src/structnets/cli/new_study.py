"""``structnets new-study``: the file of a study, from what lies in a folder or a table names."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from structnets.cli.parsing import existing_folder

EXAMPLES = (
    ("structnets new-study --images pictures --out my.yaml", "a folder with a folder per class"),
    ("structnets new-study --images pictures", "print it"),
    (
        "structnets new-study --table pictures.csv --out my.yaml",
        "a table with the columns path and label, and perhaps group and split",
    ),
    (
        "structnets new-study --table pictures.csv --label weight",
        "the same, of another column; numbers of many values are a score, cat;dog two labels",
    ),
    (
        "structnets new-study --cohort brains --label group --out my.yaml",
        "scans in BIDS, and the column of participants.tsv that says who is what",
    ),
)
NOTES = """\
Run what was written: snakemake --profile profiles/local study --config study=my.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="a folder for each class, or train and test with those; with --table, the folder "
        "that its paths are relative to",
    )
    what.add_argument(
        "--cohort",
        type=Path,
        metavar="DIR",
        help="brain scans: BIDS, or a folder with labels.csv (subject, file, a label)",
    )
    parser.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="pictures in a CSV or parquet file: path, label, and perhaps group and split "
        "(train or test)",
    )
    parser.add_argument(
        "--label",
        metavar="COLUMN",
        help="the column of a cohort's table that holds classes or a score; of one of pictures "
        "(classes, a score or labels), if it is not label",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write there, where nothing is (default: print)"
    )


def run(options: argparse.Namespace) -> None:
    """Write the study."""
    from structnets.cli.printing import print_json, waiting
    from structnets.files import write_atomic

    if options.out is not None and options.out.exists():
        raise ValueError(f"{options.out} is there already: remove it, or choose another --out")
    if options.cohort is not None and options.label is None:
        raise ValueError("--cohort needs --label: the column of its table that says who is what")
    if options.label is not None and options.cohort is None and options.table is None:
        raise ValueError("--label names a column: give --table, or --cohort, beside it")
    if (options.cohort is None) == (options.images is None and options.table is None):
        raise ValueError("give --images DIR, --table FILE or --cohort DIR: what the study is of")
    for folder in (options.images, options.cohort):
        if folder is not None:
            existing_folder(folder)
    with waiting(f"reading {options.cohort or options.table or options.images}"):
        text = _text(options)
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


def _text(options: argparse.Namespace) -> str:
    if options.cohort is not None:
        from structnets.cohorts.new_study import write_cohort_study

        return write_cohort_study(options.cohort, options.label)
    from structnets.pictures.new_study import write_study

    return write_study(options.images, options.table, options.label)
