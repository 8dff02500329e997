"""What is written for people is true of the repository, and can be read."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WRITTEN = [*(ROOT / "docs").rglob("*.md"), *(ROOT / f"{n}.md" for n in ("README", "CONTRIBUTING"))]
LONGEST_ROW, LONGEST_CELL = 150, 60  # a wide row of short cells is a matrix, and can be read
PATH = re.compile(r"`((?:docs|pipelines|profiles|src|tests|workflow)/[\w/.-]*)`")


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: path.name)
def test_table_rows_fit_a_line(document):
    rows = [line for line in document.read_text().splitlines() if line.startswith("|")]
    long = [row for row in rows if len(row) > LONGEST_ROW]
    paragraphs = [row for row in long if max(map(len, row.split("|"))) > LONGEST_CELL]
    assert paragraphs == [], "write prose instead"


@pytest.mark.parametrize("document", WRITTEN, ids=lambda path: path.name)
def test_paths_that_are_named_exist(document):
    named = set(PATH.findall(document.read_text()))
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_numbers_of_the_readme_are_measured():
    readme, results = ((ROOT / f"{name}.md").read_text() for name in ("README", "RESULTS"))
    rows = re.findall(
        r"^\| .* \| ([\d.]+ ± [\d.]+) % \((\d)\) \| ([\d.]+) % \|$", readme, re.MULTILINE
    )
    assert len(rows) == 2
    for measured, runs, thesis in rows:
        cell = rf"\*\*{re.escape(measured)} \({runs}\)†?\*\*<br>thesis {re.escape(thesis)}"
        assert re.search(cell, results)
    (digits, power) = re.findall(r"\| ([\d.]+) × 10([⁻⁰-⁹]+) \(1\) \|", readme)[0]
    (error,) = re.findall(r"irevnet\.images\.float32\.mean \| \*\*(.*?)\*\*", results)
    exponent = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert f"{float(error):.1e}" == f"{float(digits):.1f}e{int(exponent):03d}"


def test_folders_that_are_listed_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    listed = dict(re.findall(r"^([\w/]+)/ {2,}(.*)$", text, re.MULTILINE))
    assert {folder for folder in listed if not (ROOT / folder).is_dir()} == set()
    tests = {part.strip() for part in listed["tests"].split(",")}
    parts = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}
    assert tests == {path.relative_to(ROOT / "tests").parts[0] for path in parts}


def test_hooks_call_what_lint_calls():
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    commands = [line.strip().removeprefix("$(RUN) ") for line in recipe[1].splitlines()]
    (local,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in local["hooks"]] == commands
