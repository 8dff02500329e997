"""JSON schemas of the files people write, generated from the models that check them.

Editors use them (the first line of each YAML file names its schema).

Command: ``python -m structnets.specs.schemas [workflow/schemas]``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from structnets.files import write_atomic
from structnets.specs.claim import Claims
from structnets.specs.configuration import Configuration
from structnets.specs.experiment import Experiment
from structnets.specs.kit import KitList
from structnets.specs.spec import Spec
from structnets.specs.study import Study
from structnets.specs.target import Target

FOLDER = "workflow/schemas"
MODELS: dict[str, Any] = {
    "claims": Claims,
    "config": Configuration,
    "experiment": Experiment,
    "kit": KitList,
    "spec": Spec,
    "study": Study,
    "target": Target,
}


def schema_text(name: str) -> str:
    """Return the schema called `name` as the text of its file."""
    schema = TypeAdapter(MODELS[name]).json_schema()
    return json.dumps(schema, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def write_schemas(directory: Path) -> list[Path]:
    """Write ``<name>.json`` for every model and return the files."""
    paths = [directory / f"{name}.json" for name in MODELS]
    for path in paths:
        write_atomic(path, schema_text(path.stem))
    return paths


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the schemas of the files people write.")
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    write_schemas(parser.parse_args().folder)
