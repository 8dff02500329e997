"""A brain scan is answered with a score by a net that estimates one."""

import json

import nibabel
import numpy as np
import pytest

import structnets
from structnets.cli import main
from structnets.files import read_json
from structnets.forms.scores.stored import write_scores
from structnets.imaging.grid import MNI_AFFINE, on_grid
from structnets.imaging.simulated import simulate_brain
from structnets.specs.spec import validate
from structnets.training.run import run_spec
from structnets.training.trained_net import load_net, save_net

SPEC = {
    "preset": "small",
    "chapter": None,
    "seed": 0,
    "model": {"name": "standardized_voxels"},
    "data": {
        "name": "cohort_scores",
        "prepare": {"label_column": "age", "grid_mm": 8, "folds": 2, "content": "0" * 64},
    },
    "recipe": {"kind": "ridge", "grid": [0.01], "folds": 2},
    "metric": "mae",
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Train the linear row on six simulated brains that came registered."""
    root = tmp_path_factory.mktemp("scores")
    fine = np.stack([simulate_brain(n, patient=n % 2 == 1) for n in range(6)])
    fine = (255 * fine / fine.max()).astype(np.uint8)
    spec = validate(SPEC)
    write_scores(
        root / "prepared", "cohort_scores", spec["data"]["prepare"],
        on_grid(fine, 8)[:, None],
        np.array([50.0, 90.0, 70.0, 60.0, 65.0, 70.0]),
        [{"subject": f"s{number}", "session": ""} for number in range(6)],
        np.tile(np.arange(6) // 3, (10, 1)).astype(np.int64), {"registered_before": 6},
    )  # fmt: skip
    for number in (0, 1):
        scan = nibabel.Nifti1Image(fine[number], MNI_AFFINE)
        scan.set_sform(MNI_AFFINE, "mni")
        nibabel.save(scan, root / f"s{number}.nii.gz")
    run_spec(spec, root / "prepared", root / "run", root / "work")
    return root


def test_a_scan_is_answered_in_the_score_s_units(trained, capsys, tmp_path):
    words = ["predict", str(trained / "run"), str(trained / "s0.nii.gz")]
    assert main([*words, "--json"]) == 0
    (said,) = json.loads(capsys.readouterr().out)
    held_out = read_json(trained / "run/result.json")["estimates"][0]
    assert {*said} <= {"file", "score", "estimate", "warnings"}
    assert (said["score"], said["estimate"]) == ("age", pytest.approx(held_out, abs=1e-3))
    assert main(words) == 0
    assert f"s0.nii.gz: age {held_out:.4g}" in capsys.readouterr().out
    assert main([*words, "--csv", str(tmp_path / "answers.csv")]) == 0
    head, line = (tmp_path / "answers.csv").read_text().splitlines()
    assert head == "file,estimate,error,warnings"
    assert float(line.split(",")[1]) == pytest.approx(held_out, abs=1e-3)


def test_an_estimate_outside_the_training_s_scores_is_told(trained, capsys):
    loaded = structnets.load(trained / "run")
    loaded.facts["score"] |= {"least": 0.0, "most": 1.0}
    from structnets.prediction.answers import answer

    (said,) = answer(loaded, [trained / "s0.nii.gz"])
    assert "lies outside the training's scores, 0 to 1" in said.warnings[-1]


def test_what_cannot_be_read_has_an_error_and_no_estimate(trained, tmp_path, capsys):
    (tmp_path / "cut.nii.gz").write_bytes((trained / "s1.nii.gz").read_bytes()[:-9])
    assert main(["predict", str(trained / "run"), str(tmp_path), "--json"]) == 1
    (said,) = json.loads(capsys.readouterr().out)
    assert said["estimate"] is None
    assert said["error"]


def test_a_score_has_no_probabilities_and_a_class_no_estimate(trained):
    loaded = structnets.load(trained / "run")
    made = [loaded.transform(trained / "s0.nii.gz")]
    with pytest.raises(ValueError, match="estimates age, and tells no classes apart"):
        loaded.probabilities(made)
    assert loaded.estimates(made).shape == (1,)
    loaded.facts.pop("score")
    with pytest.raises(ValueError, match="tells classes apart: use probabilities"):
        loaded.estimates(made)


def test_the_net_that_is_logged_answers_alike(trained, tmp_path):
    save_net(trained / "run", trained / "prepared", tmp_path / "net")
    said = load_net(tmp_path / "net").predict_file((trained / "s0.nii.gz").read_bytes())
    held_out = read_json(trained / "run/result.json")["estimates"][0]
    assert said == {"estimate": pytest.approx(held_out, abs=1e-3)}


def test_it_is_not_exported(trained, tmp_path, capsys):
    words = ("--format", "torch", "--out", str(tmp_path / "net.pt2"))
    assert main(["export", str(trained / "run"), *words]) == 2
    assert "takes brain scans, which other programs would have to" in capsys.readouterr().err
