"""Imports go down the floors only: workflow, pipelines, library (design of the repository)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIBRARY = sorted((ROOT / "src" / "structnets").rglob("*.py"))
PIPELINES = sorted((ROOT / "pipelines").rglob("*.py"))


def imported_roots(source: str) -> set[str]:
    """Top-level packages a module imports anywhere in it, functions included."""
    roots = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            roots.add(node.module.partition(".")[0])
    return roots


def offenders(files: list[Path], forbidden: set[str]) -> dict[str, set[str]]:
    found = {str(f.relative_to(ROOT)): imported_roots(f.read_text()) & forbidden for f in files}
    return {name: roots for name, roots in found.items() if roots}


def test_library_knows_neither_stages_nor_their_tools():
    forbidden = {"ray", "mlflow", "snakemake", "pipelines", "workflow"}
    assert LIBRARY
    assert offenders(LIBRARY, forbidden) == {}


def test_stages_do_not_know_the_workflow():
    assert PIPELINES
    assert offenders(PIPELINES, {"snakemake", "workflow"}) == {}


def test_tracking_alone_talks_to_mlflow():
    others = [file for file in PIPELINES if "tracking" not in (file.stem, file.parent.name)]
    assert offenders(others, {"mlflow"}) == {}


@pytest.mark.parametrize(
    "source",
    ["import ray.train", "from ray import tune", "def f():\n    import ray", "import os, ray as r"],
)
def test_scan_sees_every_form_of_import(source):
    assert "ray" in imported_roots(source)
