"""Made-up results of runs, for tests of what is done with results."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from structnets import identity
from structnets.files import write_atomic, write_json
from structnets.reporting.requests import Request, load_experiments, requested_specs
from structnets.specs.target import load_table

REPOSITORY = Path(__file__).resolve().parents[1]
WORKFLOW = REPOSITORY / "workflow"


def floor(preset: str, target: str = "figure6", **more: Any) -> list[Request]:
    """Runs of the committed table's floor."""
    table = load_table(WORKFLOW / "targets" / f"{target}.yaml")
    experiments = load_experiments(WORKFLOW / "experiments", [table])
    return requested_specs(table, experiments, preset, **more)


def make_result(spec: dict[str, Any], accuracy: float = 90.0, **changes: Any) -> dict[str, Any]:
    """Content of a result.json that training `spec` could have given."""
    result = {
        "run_id": identity.run_id(spec),
        "spec": spec,
        "spec_digest": identity.spec_digest(spec),
        "preset": spec["preset"],
        "metrics": {"accuracy": accuracy, "loss": 0.3},
        "confusion": [[1, 0], [0, 1]],
        "curve": "curves.csv",
        "parameters": {"trained": 81152, "collapsed": 228544},
        "wall_s": 12.5,
        "train_s": 10.0,
        "images_per_s": 600.0,
        "peak_memory_mb": 300.0,
        "hardware": {"class": "cpu", "name": "made up", "threads": 1, "world_size": 1},
        "versions": {"torch": "2.14.1"},
        "git": {"sha": "0123abcd", "dirty": False},
        "code_digest": "c" * 64,
        "data_digest": "d" * 64,
        "mlflow_run_id": None,
        "attempts": 1,
    }
    return {**result, **changes}


def publish(results: Path, specs: Iterable[dict[str, Any]], accuracy: float = 90.0) -> None:
    """Publish made results as a training does; seeds differ by 0.1 points."""
    for spec in specs:
        folder = results / "runs" / identity.run_id(spec)
        write_json(folder / "result.json", make_result(spec, accuracy + spec["seed"] / 10))
        write_json(folder / "spec.json", spec)
        write_atomic(folder / "curves.csv", "epoch,step,train_loss,lr,images_per_s\n")
        write_atomic(folder / "model.pt", b"made up")
