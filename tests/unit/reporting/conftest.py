"""Fixtures around the made table."""

from __future__ import annotations

from pathlib import Path

import pytest

from structnets.reporting.requests import load_experiments
from structnets.specs.experiment import Experiment
from structnets.specs.table import Table
from structnets.specs.target import load_table


@pytest.fixture
def table(folder: Path) -> Table:
    """The table."""
    return load_table(folder / "targets" / "table0.yaml")


@pytest.fixture
def counting_table(table: Table) -> Table:
    """The table with a column of parameters."""
    column = {"key": "weights", "label": "M", "metric": "parameters", "digits": 3}
    content = table.model_dump()
    content["columns"].append(column)
    content["thesis"]["net"]["weights"] = 0.45
    content["rows"][1]["reported"]["weights"] = 0.17
    return Table.model_validate(content)


@pytest.fixture
def experiments(folder: Path, table: Table) -> dict[str, Experiment]:
    """Its experiments."""
    return load_experiments(folder / "experiments", [table])
