"""A logged model predicts from the bytes of a raw file, in a process that knows MLflow alone."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pipelines.tracking import Tracker, store
from structnets.data.prepared.manifest import load_manifest, open_split
from structnets.files import read_json, write_json
from structnets.forms.cohort.stored import write_cohort
from structnets.forms.tasks import open_examples
from structnets.identity import prepared_name, run_id
from structnets.imaging.grid import MNI_AFFINE, MNI_SHAPE, on_grid
from structnets.specs.spec import validate
from structnets.training.run import run_spec
from structnets.training.trained_net import load_net, save_net

GRID_MM = 8
PREDICT = """
import json, sys
from pathlib import Path
import mlflow, pandas as pd
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model(sys.argv[2])
files = pd.DataFrame({"file": [Path(name).read_bytes() for name in sys.argv[3:]]})
assert len(model.predict(model.input_example)) == 1
print(json.dumps(list(model.predict(files))))
"""


def train(spec: dict[str, Any], folders: Any) -> Path:
    """Train a spec and return the folder it is published in."""
    prepared = folders.prepared / prepared_name(spec["data"])
    run_spec(spec, prepared, out := folders.results / "runs" / run_id(spec), folders.scratch)
    return out


def predict_afresh(out: Path, folders: Any, *files: Path) -> list[dict[str, Any]]:
    """Log the net of a run, told twice, and let a new process predict with it."""
    spec = read_json(out / "spec.json")
    tracker = Tracker.open(
        None, folders.results, "chapter3", out.name, params={}, tags={},
        spool=folders.scratch / "spool", patience=200,
    )  # fmt: skip
    for _ in range(2):
        tracker.log_model(out, folders.prepared, 4)
    assert tracker.finish(timeout=120), spec
    uri = store.resolve_uri(None, folders.results)
    run = store.connect(uri).get_run(tracker.mlflow_run_id)
    assert "model" not in run.data.tags
    (logged,) = run.outputs.model_outputs
    tags = store.connect(uri).get_logged_model(logged.model_id).tags
    assert f"models:/{logged.model_id}" in tags["mlflow.note.content"]
    words = [sys.executable, "-c", PREDICT, str(uri), f"models:/{logged.model_id}", *files]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)


def from_prepared(out: Path, folders: Any, split: str, row: int) -> list[float]:
    """Return the probabilities of a stored example, without any raw file."""
    spec = read_json(out / "spec.json")
    prepared = folders.prepared / prepared_name(spec["data"])
    inputs, _ = open_examples(spec, prepared, load_manifest(prepared))[split].batch(
        np.array([row]), torch.device("cpu")
    )
    save_net(out, prepared, folders.scratch / "net")
    net = load_net(folders.scratch / "net")
    with torch.no_grad():
        return torch.softmax(net.model(inputs)[0].double(), 0).tolist()


@pytest.mark.slow
def test_raw_picture(folders: Any, make_spec: Callable[..., Any], tmp_path: Path) -> None:
    out = train(make_spec(epochs=1), folders)
    images, _ = open_split(folders.prepared / "mnist", "test")
    # Test images are stored in another order than they are read in.
    expected = from_prepared(out, folders, "test", 0)
    inputs = [np.array(image[0]) for image in images]
    small, large = tmp_path / "small.png", tmp_path / "large.jpg"
    spec, manifest = read_json(out / "spec.json"), load_manifest(folders.prepared / "mnist")
    first = open_examples(spec, folders.prepared / "mnist", manifest)["test"].indices[0]
    Image.fromarray(inputs[first]).save(small)
    Image.fromarray(inputs[first]).convert("RGB").resize((120, 90)).save(large)
    exact, resized = predict_afresh(out, folders, small, large)
    assert list(exact["probabilities"]) == ["rows", "columns", "both"]
    assert list(exact["probabilities"].values()) == pytest.approx(expected, abs=1e-6)
    assert exact["label"] == max(exact["probabilities"], key=exact["probabilities"].get)
    assert sum(resized["probabilities"].values()) == pytest.approx(1)


@pytest.fixture
def cohort(folders: Any, tmp_path: Path) -> tuple[Any, dict[str, Any], np.ndarray]:
    """Return folders with a made cohort of sixteen, its spec, and its volumes at 2 mm."""
    prepare = {"grid_mm": GRID_MM, "folds": 2}
    spec = validate(
        {
            "preset": "smoke", "chapter": 3, "seed": 0,
            "model": {"name": "standardized_voxels"},
            "data": {"name": "simulated_cohort", "prepare": prepare},
            "recipe": {"kind": "closed_form", "classifier": "logistic", "grid": [0.01, 1.0],
                       "folds": 2},
        }
    )  # fmt: skip
    rng = np.random.default_rng(0)
    fine = rng.integers(0, 256, (16, *MNI_SHAPE)).astype(np.uint8)
    fine[::2, 30:60, 40:70, 30:60] //= 2
    volumes = on_grid(fine, GRID_MM)[:, None]
    names = [{"subject": f"s{number}", "session": ""} for number in range(16)]
    labels = np.arange(16, dtype=np.int64) % 2
    folds = np.tile(np.arange(16) // 8, (10, 1)).astype(np.int64)
    made = folders.__class__(tmp_path / "prepared", folders.results, folders.scratch)
    place = made.prepared / prepared_name(spec["data"])
    write_cohort(
        place, "simulated_cohort", prepare, volumes, labels, names, folds,
        ["control", "patient"], {},
    )  # fmt: skip
    return made, spec, fine


@pytest.mark.slow
def test_raw_volume(cohort: tuple[Any, dict[str, Any], np.ndarray], tmp_path: Path) -> None:
    folders, spec, fine = cohort
    out = train(spec, folders)
    expected = from_prepared(out, folders, "test", 0)
    scan = nibabel.Nifti1Image(fine[0], MNI_AFFINE)
    plain, packed = tmp_path / "scan.nii", tmp_path / "scan.nii.gz"
    plain.write_bytes(scan.to_bytes())
    packed.write_bytes(gzip.compress(scan.to_bytes(), 1))
    answers = predict_afresh(out, folders, plain, packed)
    for answer in answers:
        assert list(answer["probabilities"]) == ["control", "patient"]
        assert list(answer["probabilities"].values()) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": {"name": "elsewhere.nets:Net", "options": {}}}, "elsewhere.nets:Net"),
        ({"data": {"name": "made_boundaries", "prepare": {}, "train_size": 8}}, "no labels"),
    ],
)
def test_what_cannot_be_used_is_refused(
    changes: dict[str, Any], message: str, make_spec: Callable[..., Any], tmp_path: Path
) -> None:
    spec = {**make_spec(), **changes}
    facts = {"classes": ["a", "b"], "image_shape": [1, 9, 9]}
    torch.save({"spec": spec, "state_dict": {}}, tmp_path / "model.pt")
    write_json(tmp_path / "net.json", facts)
    with pytest.raises(ValueError, match=message):
        load_net(tmp_path)


def test_weights_that_carry_code_are_not_read(tmp_path: Path) -> None:
    torch.save({"spec": {}, "state_dict": nn.Linear(1, 1)}, tmp_path / "model.pt")
    write_json(tmp_path / "net.json", {"classes": ["a"], "image_shape": [1, 9, 9]})
    with pytest.raises(ValueError, match=r"is damaged, or no|is refused"):
        load_net(tmp_path)
