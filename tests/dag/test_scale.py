"""A dry run of five thousand runs."""

import time

import pytest
import yaml

from tests.made_results import WORKFLOW

ROWS, COLUMNS, SEEDS = 10, 100, 5


@pytest.mark.benchmark
def test_dry_run_of_5000_runs_takes_under_20_seconds(clone, jobs):
    tables = clone / "workflow" / "tables"
    content = yaml.safe_load((WORKFLOW / "tables" / "figure6.yaml").read_text())
    rows = [
        {
            "key": f"net{i}",
            "label": f"Net {i}",
            "experiment": "chapter3/mnist_rfnn.yaml",
            "overrides": {"recipe": {"batch_size": 20 + i}},
        }
        for i in range(ROWS)
    ]
    columns = [
        {"key": f"n{n}", "label": str(n), "x": n, "overrides": {"data": {"train_size": n}}}
        for n in range(100, 100 + COLUMNS)
    ]
    plot = {**content["plot"], "thesis_rows": []}
    floor = {"paper": [{"rows": "all", "columns": "all", "seeds": list(range(SEEDS))}]}
    changed = {"rows": rows, "columns": columns, "thesis": {}, "floor": floor, "plot": plot}
    (tables / "figure6.yaml").write_text(yaml.safe_dump({**content, **changed}))
    start = time.monotonic()
    found = jobs("all", "--config", "preset=paper")
    seconds = time.monotonic() - start
    print(f"\ndry run of {found['train']} runs: {seconds:.1f} s")
    assert found["train"] == ROWS * COLUMNS * SEEDS
    assert seconds < 20
