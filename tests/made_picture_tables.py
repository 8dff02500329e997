"""Tables of pictures (path, what is told of a picture, split): changed, gathered, planned."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from structnets.pictures.gathering import Gathered, gather
from structnets.reporting.study_plan import StudyPlan, plan_study
from structnets.specs.configuration import Configuration
from structnets.specs.study import Study
from structnets.specs.validation import checked


def rewritten(table: Path, change: Callable[[int, list[str]], list[str]]) -> Path:
    """Write a table anew with what a function makes of the number and the cells of each line."""
    lines = [line.split(",") for line in table.read_text().splitlines()]
    table.write_text("\n".join(",".join(change(n, line)) for n, line in enumerate(lines)))
    return table


def without_split(table: Path) -> Path:
    """Leave the third column out."""
    return rewritten(table, lambda n, cells: cells[:2])


def gathered(asked: Mapping[str, Any], table: Path, /, **more: Any) -> Gathered:
    """Gather the pictures of a table for a study that is asked for so."""
    study = checked(Study, {**asked, "table": str(table), **more}, "s")
    return gather(study, table.parent / "s.yaml")


def planned(asked: Mapping[str, Any], table: Path, /, **more: Any) -> StudyPlan:
    """Write that study beside its table, and plan it."""
    file = table.parent / "study.yaml"
    file.write_text(yaml.safe_dump({**asked, "table": str(table), **more}))
    return plan_study(Configuration(study=str(file), scratch=str(table.parent / "scratch")))
