"""``structnets models [PATTERN]``."""

from __future__ import annotations

import argparse

from structnets.cli.matching import matching
from structnets.cli.printing import print_json, print_table, waiting

EXAMPLES = (
    ("structnets models", "every model, with its number of weights and the thesis'"),
    ("structnets models 'rfnin*'", "those whose name begins so"),
    ("structnets models irevnet_b --json", "one model as JSON, for a program"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("pattern", nargs="?", default="*", help="shell-style pattern of names")


def run(options: argparse.Namespace) -> None:
    """Print the models."""
    from structnets.models.description import describe_models
    from structnets.models.entries.arguments import MODELS

    names = matching(MODELS.names(), options.pattern, "models")
    with waiting("building the models to count their weights"):
        found = describe_models(names)
    if options.json:
        print_json(found)
    else:
        columns = "name chapter params collapsed_params thesis_params note"
        print_table(columns.split(), found)
