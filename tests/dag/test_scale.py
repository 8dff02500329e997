"""A dry run of five thousand runs; it should stay under 20 s."""

import re
import subprocess
import sys
import time

import pytest
import yaml

from tests.made_results import WORKFLOW

ROWS, COLUMNS, SEEDS = 10, 100, 5


@pytest.mark.benchmark
def test_dry_run_of_5000_runs(clone):
    targets = clone / "workflow" / "targets"
    content = yaml.safe_load((WORKFLOW / "targets" / "figure6.yaml").read_text())
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
    (targets / "figure6.yaml").write_text(yaml.safe_dump({**content, **changed}))
    start = time.monotonic()
    # A process of its own, since Snakemake's imports count.
    words = ["-n", "--quiet", "rules", "all", "--config", "preset=paper"]
    command = [sys.executable, "-m", "snakemake", *words]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=True)
    seconds = time.monotonic() - start
    print(f"\ndry run of 5,000 runs: {seconds:.1f} s")
    assert re.search(rf"^train +{ROWS * COLUMNS * SEEDS}$", done.stdout, re.MULTILINE)
