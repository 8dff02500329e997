"""``structnets validate FILE``."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from structnets.cli.printing import print_json
from structnets.files import read_json

if TYPE_CHECKING:
    from structnets.specs.resolved import ResolvedSpec

EXAMPLES = (
    ("structnets validate spec.json", "check a spec and print its run id"),
    ("structnets validate spec.json --json", "the resolved spec, with every default filled in"),
    (
        "structnets validate workflow/experiments/chapter3/mnist_rfnn.yaml",
        "the run ids of an experiment, one for each of its presets",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="SPEC_OR_EXPERIMENT",
        help="a .json of the one, a .yaml of the other",
    )


def run(options: argparse.Namespace) -> None:
    """Print the run ids, or the resolved specs."""
    from structnets.identity import run_id

    resolved = _resolved_specs(options.file)
    if not options.json:
        print("\n".join(run_id(spec) for spec in resolved))
    elif options.file.suffix == ".json":
        print_json(resolved[0])
    else:
        print_json({run_id(spec): spec for spec in resolved})


def _resolved_specs(file: Path) -> list[ResolvedSpec]:
    """Resolve a spec, or an experiment in each of its presets with seed 0."""
    from structnets.specs.experiment import load_experiment, resolve
    from structnets.specs.spec import validate
    from structnets.specs.validation import load_yaml

    if file.suffix == ".json":
        return [validate(read_json(file))]
    if file.suffix not in (".yaml", ".yml"):
        raise ValueError(f"{file}: a spec ends in .json, an experiment file in .yaml")
    content = load_yaml(file)
    if isinstance(content, dict) and "study" in content:
        raise ValueError(
            f"{file} is a study; this says what it would do, and refuses what it cannot:\n"
            f"  snakemake --profile profiles/local -n study --config study={file}"
        )
    experiment = load_experiment(content, file.name)
    return [resolve(experiment, preset, 0) for preset in experiment.presets]
