"""A brain scan is registered, measured and answered for by the net of a cohort."""

import json
from copy import deepcopy

import nibabel
import numpy as np
import pytest

import structnets
from structnets.cli import main
from structnets.files import read_json
from structnets.forms.cohort.stored import write_cohort
from structnets.imaging.grid import MNI_AFFINE, on_grid
from structnets.imaging.simulated import simulate_brain
from structnets.specs.spec import validate
from structnets.training.run import run_spec

CLASSES = ("control", "patient")
SPEC = {
    "preset": "small",
    "chapter": None,
    "seed": 0,
    "model": {"name": "standardized_voxels"},
    "data": {
        "name": "cohort",
        "prepare": {
            "label_column": "group", "classes": "control,patient", "grid_mm": 8, "folds": 2,
            "content": "0" * 64,
        },
    },
    "recipe": {"kind": "closed_form", "classifier": "logistic", "grid": [0.01], "folds": 4},
}  # fmt: skip


@pytest.fixture(scope="module", params=["whole", "brain"])
def trained(request, tmp_path_factory):
    """Train the linear row on eight simulated brains that came registered."""
    root = tmp_path_factory.mktemp("cohort")
    labels = np.arange(8, dtype=np.int64) % 2
    fine = np.stack([simulate_brain(n, patient=bool(label)) for n, label in enumerate(labels)])
    fine = (255 * fine / fine.max()).astype(np.uint8)
    asked = deepcopy(SPEC)
    asked["data"]["prepare"]["field_of_view"] = request.param  # "whole" is the default
    spec = validate(asked)
    write_cohort(
        root / "prepared", "cohort", spec["data"]["prepare"],
        on_grid(fine, 8, request.param)[:, None], labels,
        [{"subject": f"s{number}", "session": ""} for number in range(8)],
        np.tile(np.arange(8) // 4, (10, 1)).astype(np.int64), CLASSES, {"registered_before": 8},
    )  # fmt: skip
    for number in (0, 1):
        scan = nibabel.Nifti1Image(fine[number], MNI_AFFINE)
        scan.set_sform(MNI_AFFINE, "mni")
        nibabel.save(scan, root / f"s{number}.nii.gz")
    run_spec(spec, root / "prepared", root / "run", root / "work")
    return root


def test_a_scan_is_answered_as_the_test_of_the_training_was(trained, capsys):
    assert main(["predict", str(trained / "run"), str(trained / "s0.nii.gz"), "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    held_out = read_json(trained / "run/result.json")["log_odds"][0]
    odds = np.log(said["probabilities"]["patient"] / said["probabilities"]["control"])
    assert odds == pytest.approx(held_out, abs=1e-4)
    assert "warnings" not in said


def test_what_quality_control_flags_and_what_is_unlike_the_training_is_told(
    trained, tmp_path, capsys
):
    scan = nibabel.load(trained / "s1.nii.gz")
    upside_down = nibabel.Nifti1Image(np.asarray(scan.dataobj)[:, ::-1, ::-1], MNI_AFFINE)
    upside_down.set_sform(MNI_AFFINE, "mni")
    nibabel.save(upside_down, tmp_path / "turned.nii")
    (tmp_path / "cut.nii.gz").write_bytes((trained / "s1.nii.gz").read_bytes()[:-9])
    assert main(["predict", str(trained / "run"), str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "turned.nii: beware: flagged by quality control: similarity" in err
    assert "turned.nii: " in out
    assert "cut.nii.gz: left out:" in err
    assert "cut.nii.gz" not in out


def test_how_a_scan_was_registered_is_compared_with_the_training(trained):
    transform = structnets.load(trained / "run").transform
    made = transform.decode(trained / "s0.nii.gz")
    assert transform.remarks(made) == []
    made.facts["already_registered"] = False
    assert (
        "was registered from native space; the training's scans came" in transform.remarks(made)[0]
    )
    transform.facts["registered_before"] = [0, 8]
    made.facts["already_registered"] = True
    assert "it came registered to MNI152" in transform.remarks(made)[0]


def test_a_folder_without_scans_is_refused(trained, tmp_path, capsys):
    (tmp_path / "picture.png").write_bytes(b"")
    assert main(["predict", str(trained / "run"), str(tmp_path)]) == 2
    assert "holds no brain scan (.nii, .nii.gz)" in capsys.readouterr().err


def test_it_is_not_exported(trained, tmp_path, capsys):
    words = ("--format", "torch", "--out", str(tmp_path / "net.pt2"))
    assert main(["export", str(trained / "run"), *words]) == 2
    assert "takes brain scans, which other programs would have to" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
