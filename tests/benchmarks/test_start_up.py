"""Seconds to import the library, to build a model, and of a train job around its loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.cluster.training_worker import Roots
from structnets.data.sets.preparation import Preparation
from structnets.forms.writing import prepare
from structnets.identity import run_id
from structnets.models import create_model, list_models
from structnets.specs.spec import validate

SPEC = {
    "chapter": 3,
    "preset": "smoke",
    "model": {"name": "rfnn_mnist"},
    "data": {"name": "digits", "train_size": 300},
    "recipe": {"optimizer": {"name": "adadelta", "lr": 5.0}, "epochs": 5, "batch_size": 25},
}


@pytest.mark.benchmark
def test_import_beyond_torch() -> None:
    code = (
        "import time, torch; begun = time.perf_counter(); "
        "import structnets.nn, structnets.models; print(time.perf_counter() - begun)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    print(f"\nimport structnets, nn and models beyond torch: {float(done.stdout):.3f} s")


@pytest.mark.benchmark
def test_building_models() -> None:
    print()
    for name in list_models():
        begun = time.perf_counter()
        create_model(name)
        print(f"{name:18s} {time.perf_counter() - begun:.3f} s with its initialisation")


def job(runs: list[dict], roots: Roots) -> tuple[float, float]:
    """Run the train stage on specs; return its wall time and the seconds of its loops."""
    command = [sys.executable, "-m", "pipelines.train"]
    command += [word for spec in runs for word in ("--spec", json.dumps(spec))]
    for name in ("prepared", "results", "scratch"):
        command += [f"--{name}", str(getattr(roots, name))]
    begun = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall = time.perf_counter() - begun
    results = [json.loads((roots.out(spec) / "result.json").read_text()) for spec in runs]
    return wall, sum(result["train_s"] for result in results)


@pytest.mark.benchmark
def test_overhead_of_train_jobs(tmp_path: Path) -> None:
    roots = Roots(tmp_path / "prepared", tmp_path / "results", tmp_path / "scratch")
    prepare(Preparation("digits"), roots.prepared / "digits")
    runs = [validate({**SPEC, "seed": seed}) for seed in range(6)]
    init = [sys.executable, "-m", "pipelines.track_init", "--results", str(roots.results)]
    subprocess.run([*init, "--out", str(roots.results / "tracking.json")], check=True)
    wall, loop = job(runs[:1], roots)
    print(f"\none run, cluster of its own: {wall - loop:.1f} s of overhead")
    warm = [
        sys.executable,
        "-m",
        "pipelines.cluster.launch",
        "warm",
        "--scratch",
        str(roots.scratch),
    ]
    with subprocess.Popen([*warm, "--parent", str(os.getpid())]) as cluster:
        time.sleep(10)
        wall, loop = job(runs[1:2], roots)
        print(f"one run, warm cluster: {wall - loop:.1f} s")
        wall, loop = job(runs[2:], roots)
        print(f"four runs in one worker group, warm cluster: {(wall - loop) / 4:.1f} s a run")
        cluster.terminate()
    assert len({run_id(spec) for spec in runs}) == 6
