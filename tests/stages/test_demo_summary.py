"""The end of the demo: its one result by hand, and where to look."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.demo_summary import differences, main, summarize
from structnets.files import write_json
from structnets.reporting.intervals import student_interval


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Return results of three seeds, one of which plain filters lack."""
    cells = []
    for row, values in (("structured", (90.0, 93.0, 99.0)), ("plain", (88.0, 89.0))):
        runs = [f"{row}-s{seed}" for seed in range(len(values))]
        for seed, (run, value) in enumerate(zip(runs, values, strict=True)):
            content = {"spec": {"seed": seed}, "metrics": {"accuracy": value}}
            write_json(tmp_path / "runs" / run / "result.json", content)
        cells.append({"row": row, "column": "n30", "run_ids": runs, "mean": 91.0, "sd": 1.0})
    write_json(tmp_path / "tables" / "demo_digits.json", {"cells": cells})
    return tmp_path


def test_differences_are_between_runs_of_one_seed(results: Path) -> None:
    cells = [
        {"row": row, "column": "n30", "run_ids": [f"{row}-s0", f"{row}-s1"]}
        for row in ("structured", "plain")
    ]
    assert differences(cells, results) == {"n30": (2.0, 4.0)}


def test_interval_by_hand() -> None:
    # Mean 3, deviation sqrt(2), t of one degree of freedom 12.706.
    assert student_interval((2.0, 4.0)) == pytest.approx((3 - 12.7062, 3 + 12.7062), abs=1e-3)


def test_summary_says_what_where_and_next(results: Path) -> None:
    file = io.StringIO()
    summarize(results, Console(file=file, width=120))
    text = file.getvalue()
    assert "+3.0  (-9.7 to +15.7)" in text
    assert "Made in all: 0 tables, 0 figures, 0 sweeps, 5 trainings." in text
    for command in ("make ui", "make report", "structnets new-study --images DIR"):
        assert command in text


def test_a_terminal_of_80_columns_breaks_no_number_and_no_path(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    (results / "figures").mkdir()
    (results / "figures" / "demo_digits.svg").touch()
    file = io.StringIO()
    summarize(results, Console(file=file, width=80))
    assert "+3.0  (-9.7 to +15.7)" in file.getvalue()
    assert "\nfigures/demo_digits.svg  accuracy" in file.getvalue()


def test_without_a_demo_it_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--results", str(tmp_path)]) == 1
    assert "run `make demo` first" in capsys.readouterr().err
