"""``structnets models [PATTERN]``."""

from __future__ import annotations

import argparse
import fnmatch

from structnets.cli.printing import print_json, print_table, waiting
from structnets.entries import did_you_mean

EXAMPLES = (
    ("structnets models", "every model, with its number of weights and the thesis'"),
    ("structnets models 'rfnin*'", "those whose name begins so"),
    ("structnets models irevnet --json", "one model as JSON, for a program"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("pattern", nargs="?", default="*", help="shell-style pattern of names")


def run(options: argparse.Namespace) -> None:
    """Print the models."""
    from structnets.models.description import describe_models

    with waiting("building every model to count its weights"):
        models = describe_models()
    found = [model for model in models if fnmatch.fnmatchcase(model["name"], options.pattern)]
    if not found:
        near = did_you_mean(options.pattern, [model["name"] for model in models])
        raise ValueError(
            f"no model matches {options.pattern!r}{near}; `structnets models` lists all"
        )
    if options.json:
        print_json(found)
    else:
        columns = "name chapter params collapsed_params thesis_params note"
        print_table(columns.split(), found)
