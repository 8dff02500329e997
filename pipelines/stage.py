"""What every stage program does at its edge: arguments, absolute paths, logs, errors."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from structnets.foreign.shown import log_to, printable_lines
from structnets.specs.renamed import RefusedOption

_MEANINGS = {
    "prepared": "root of the prepared data sets",
    "results": "root of what is published",
    "scratch": "root of checkpoints and other working state",
}


def absolute(text: str) -> Path:
    """Return an absolute path: Ray's workers and Slurm's jobs run in other folders."""
    return Path(text).resolve()


def stage_parser(doc: str | None, *roots: str) -> argparse.ArgumentParser:
    """Make the parser of a stage from its module's docstring.

    Parameters
    ----------
    doc : str
        Its first line describes the stage.
    *roots : str
        Root folders that become required options: ``prepared``, ``results``, ``scratch``.
    """
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    for root in roots:
        parser.add_argument(f"--{root}", type=absolute, required=True, help=_MEANINGS[root])
    return parser


def add_target(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the file of one target."""
    parser.add_argument("--targets", type=Path, required=True, help="folder of target files")
    parser.add_argument("--target", required=True, help="which of them")
    parser.add_argument("--table", action=RefusedOption, help=argparse.SUPPRESS)


def target_file(given: argparse.Namespace) -> Path:
    """Return the file that the options of `add_target` name."""
    return given.targets / f"{given.target}.yaml"


def run_stage(name: str, action: Callable[[], object]) -> int:
    """Run a stage; what its user can mend becomes one clear line and exit code 1."""
    log_to(sys.stderr, "%(name)s: %(message)s")
    try:
        action()
    except (ValueError, OSError, RuntimeError, ArithmeticError) as error:
        print(printable_lines(f"{name}: {error}"), file=sys.stderr)
        return 1
    return 0
