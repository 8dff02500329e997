"""Which commands there are: one entry each, read without importing the command itself.

The module that an entry names holds

- ``EXAMPLES``: pairs of a whole call and what it does, shown by ``--help``;
- ``add_arguments(parser)``: its arguments; ``--json`` and ``--debug`` are there already;
- ``run(options)``: does it, and returns the exit status, None for 0.

A command of the checkout needs Ray, MLflow or Snakemake. It lies in ``pipelines/``, and its module
holds ``EXAMPLES`` and ``command``, a function with Typer's annotations.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """What is known of a command before it is imported.

    Attributes
    ----------
    module : str
        Where it is.
    summary : str
        One line for those who list the commands.
    part : str
        Heading under which they are listed.
    checkout : bool
        Whether it is a part of the pipeline, which runs from a checkout.
    """

    module: str
    summary: str
    part: str
    checkout: bool = False


LOOK, TRAIN, MEASURE = "see what there is", "train", "measure and check"
OWN = "your own pictures and brain scans"

COMMANDS = {
    "models": Command(
        "structnets.cli.models",
        "list the models with computed and printed parameter counts",
        LOOK,
    ),
    "targets": Command(
        "structnets.cli.targets",
        "list the tables, figures, analyses and sweeps that can be asked for by name",
        LOOK,
    ),
    "results": Command(
        "structnets.cli.results",
        "list thesis values beside measured ones, from the committed ledger",
        LOOK,
    ),
    "report": Command(
        "structnets.cli.report",
        "write one HTML page of everything that was measured and drawn",
        LOOK,
    ),
    "claims": Command(
        "structnets.cli.claims",
        "say which claims of the thesis the ledger's runs support",
        LOOK,
    ),
    "reproduce": Command(
        "structnets.cli.reproduce",
        "print the one call that makes a cell's run again, or make it",
        TRAIN,
    ),
    "validate": Command(
        "structnets.cli.validate",
        "check a spec (JSON) or an experiment file (YAML) and name its runs",
        TRAIN,
    ),
    "train": Command(
        "structnets.cli.train",
        "train a resolved spec with plain torch, alone or under torchrun",
        TRAIN,
    ),
    "new-study": Command(
        "structnets.cli.new_study",
        "write a commented study of what lies in a folder, or of a table",
        OWN,
    ),
    "predict": Command(
        "structnets.cli.predict",
        "say what is in pictures or scans, by a net that was trained",
        OWN,
    ),
    "export": Command(
        "structnets.cli.export",
        "write a trained net for programs without this library",
        OWN,
    ),
    "forget": Command(
        "pipelines.forget",
        "remove what a study has made: runs, weights, prepared pictures, MLflow entries",
        OWN,
        checkout=True,
    ),
    "analyse": Command(
        "structnets.cli.analyse",
        "draw and measure an analysis of trained networks",
        MEASURE,
    ),
    "boundary-eval": Command(
        "structnets.cli.boundary_eval",
        "score predicted boundaries by the BSDS benchmark (ODS, OIS, AP, R50)",
        MEASURE,
    ),
    "audit": Command(
        "pipelines.audit",
        "compare every artifact on disk with MLflow",
        MEASURE,
        checkout=True,
    ),
}
