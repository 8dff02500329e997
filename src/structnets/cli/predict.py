"""``structnets predict RUN FILE…``: what a trained net says of pictures, or of brain scans."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.cli.printing import print_json
from structnets.cli.trained_run import add_run, load_asked

if TYPE_CHECKING:
    from structnets.prediction.answers import Answer

EXAMPLES = (
    ("structnets predict results/runs/RUN_ID picture.jpg", "the three most probable classes"),
    ("structnets predict RUN_ID new_pictures --csv answers.csv", "a folder, into a table"),
    ("structnets predict RUN_ID picture.jpg --json", "the probabilities of all classes, as JSON"),
    ("structnets predict RUN_ID scan.nii.gz", "a brain scan: it is registered, measured, answered"),
)
NOTES = """\
A file that is no whole picture or scan is named on standard error and has no label; the exit status
is then 1. One unlike those of the training, such as smaller, or in colour, is named too, and so is
a scan that quality control flags."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add_run(parser)
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="pictures, brain scans (NIfTI), or folders",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the answers as a table")


def run(options: argparse.Namespace) -> int:
    """Answer for every file; 1 if one could not be read."""
    from structnets.files import write_atomic
    from structnets.foreign.shown import printable_lines
    from structnets.prediction.answers import answer, as_csv, files_of

    loaded, answers = load_asked(options), []
    for said in answer(loaded, files_of(options.files, loaded.transform)):
        answers.append(said)
        for text in said.warnings:
            print(printable_lines(f"{said.file}: beware: {text}"), file=sys.stderr)
        if said.error is not None:
            print(printable_lines(f"{said.file}: left out: {said.error}"), file=sys.stderr)
        elif options.json or options.csv is not None:
            continue
        elif said.score is not None:
            print(printable_lines(f"{said.file}: {said.score} {said.estimate:.4g}"))
        else:
            print(printable_lines(f"{said.file}: {_most_probable(said)}"))
    if options.csv is not None:
        write_atomic(options.csv, as_csv(answers, loaded))
        print(f"wrote {options.csv}", file=sys.stderr)
    if options.json:
        print_json([said.as_json() for said in answers])
    return int(any(said.error is not None for said in answers))


def _most_probable(said: Answer) -> str:
    """Name the three most probable classes, or all labels of more than one half."""
    best = sorted(said.probabilities.items(), key=lambda pair: -pair[1])
    named = [f"{name} {100 * probability:.1f} %" for name, probability in best]
    if said.labels is None:
        return ", ".join(named[:3])
    if not said.labels:
        return f"none of the labels (most probable: {named[0]})"
    return ", ".join(named[: len(said.labels)])
