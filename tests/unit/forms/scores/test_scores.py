"""A prepared cohort with scores: held out run by run, standardised by the training part alone."""

import numpy as np
import pytest
import torch

from structnets.data.prepared.manifest import load_manifest
from structnets.files import read_json, write_json
from structnets.forms.scores.stored import load_scores, load_scores_held_out, write_scores
from structnets.forms.tasks import make_task, open_examples
from structnets.forms.writing import verify
from structnets.specs.spec import validate
from structnets.training.run import run_spec

PEOPLE = 60
AGES = np.random.default_rng(0).normal(70, 8, PEOPLE)
PREPARE = {"label_column": "age", "folds": 3, "content": "0" * 64}


def spec_of(regress_out="", **more):
    prepare = {**PREPARE, **({"regress_out": regress_out} if regress_out else {})}
    return validate(
        {
            "preset": "small",
            "chapter": None,
            "seed": 1,
            "model": {"name": "standardized_voxels"},
            "data": {"name": "cohort_scores", "prepare": prepare},
            "recipe": {"kind": "ridge", "grid": [0.001, 0.1]},
            "metric": "mae",
            **more,
        }
    )


def write(folder, regress_out="", *, knows_age=True, **changed):
    """Write people whose voxels know of a dose that goes with age, and perhaps of age itself."""
    rng = np.random.default_rng(1)
    of_age, of_dose = rng.normal(0, 2, (2, 64))
    dose = AGES + rng.normal(0, 3, PEOPLE)
    voxels = 120 + np.outer(AGES - 70, of_age) * knows_age + np.outer(dose - 70, of_dose)
    content = {
        "volumes": voxels.clip(0, 255).astype(np.uint8).reshape(PEOPLE, 1, 4, 4, 4),
        "scores": AGES,
        "subjects": [
            {"subject": f"s{n}", "session": "", "traits": {"dose": f"{d:.3f}"}}
            for n, d in enumerate(dose)
        ],
        "folds": np.tile(np.arange(PEOPLE) % 3, (2, 1)),
        **changed,
    }
    prepare = spec_of(regress_out)["data"]["prepare"]
    return write_scores(folder, "cohort_scores", prepare, source={}, **content)


@pytest.fixture
def cohort(tmp_path):
    write(tmp_path / "ages")
    return tmp_path / "ages"


def test_scores_are_standardised_by_those_that_are_trained_on(cohort):
    held = load_scores_held_out(cohort, 1)
    of = AGES[np.arange(PEOPLE) % 3 != 1]
    np.testing.assert_allclose(held.targets, (AGES - of.mean()) / of.std(), rtol=1e-5, atol=1e-5)
    assert held.targets[held.train].mean() == pytest.approx(0, abs=1e-6)
    assert held.targets[held.train].std() == pytest.approx(1, abs=1e-6)
    np.testing.assert_array_equal(held.test % 3, 1)
    manifest = load_manifest(cohort)
    assert manifest["units"][1] == pytest.approx([of.mean(), of.std(), of.min(), of.max()])
    assert manifest["counts"] == {"cohort": {"score": PEOPLE}}
    assert verify(cohort) == []
    with pytest.raises(ValueError, match="run 6 is not among the 6"):
        load_scores_held_out(cohort, 6)


def test_other_units_than_the_scores_have_are_refused(cohort):
    manifest = read_json(cohort / "manifest.json")
    manifest["units"][1][0] += 1  # the digest does not cover it
    write_json(cohort / "manifest.json", manifest)
    with pytest.raises(ValueError, match="states other units than its scores have"):
        load_scores(cohort)
    assert "states other units" in verify(cohort)[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": np.append(AGES[1:], np.nan)}, "scores must be finite"),
        ({"scores": AGES.astype(np.float32)}, "must be finite float64"),
        ({"volumes": np.zeros((2, 1, 4, 4, 4), np.uint8)}, r"uint8 \(60, 1, X, Y, Z\)"),
        ({"subjects": []}, "as many subjects and folds, got 0"),
        (
            {"scores": np.where(np.arange(PEOPLE) % 3, 70.0, AGES)},
            r"fold 1: everybody who is trained on has the score 70\.0",
        ),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "toy", **changed)
    assert not (tmp_path / "toy").exists()


def test_errors_are_in_the_score_s_units(cohort, tmp_path):
    result = run_spec(spec_of(), cohort, tmp_path / "run", tmp_path / "work")
    held = np.flatnonzero(np.arange(PEOPLE) % 3 == 1)
    said = np.array(result["estimates"])
    assert result["metrics"]["mae"] == pytest.approx(np.abs(AGES[held] - said).mean(), rel=1e-4)
    assert result["metrics"]["mae"] < 3 < np.abs(AGES[held] - AGES.mean()).mean()
    assert result["metrics"]["r"] > 0.85


def test_a_net_is_trained_and_its_loss_is_of_standardised_scores(cohort, tmp_path):
    recipe = {"optimizer": {"name": "adam", "lr": 1e-3}, "epochs": 1, "batch_size": 10}
    made = {"name": "nin_3d", "options": {"width": 0.05}}
    spec = spec_of(model=made, recipe=recipe)
    volumes = np.random.default_rng(2).integers(0, 255, (PEOPLE, 1, 16, 16, 16), np.uint8)
    write(tmp_path / "larger", volumes=volumes)
    result = run_spec(spec, tmp_path / "larger", tmp_path / "run", tmp_path / "work")
    deviation = load_manifest(tmp_path / "larger")["units"][1][1]
    error = result["metrics"]["rmse"] / deviation
    assert result["metrics"]["loss"] == pytest.approx(error**2, rel=1e-5)
    assert 0.2 < result["metrics"]["loss"] < 5


def test_what_a_covariate_says_is_taken_out_of_every_voxel(tmp_path):
    found = {}
    for name in ("", "dose"):
        place = tmp_path / f"of_{name}"
        write(place, name, knows_age=False)
        result = run_spec(spec_of(name), place, place / "run", place / "work")
        found[name] = result["metrics"]["r"]
    assert found[""] > 0.7
    assert abs(found["dose"]) < 0.4


def test_a_diverged_net_is_refused(cohort):
    spec = spec_of()
    manifest = load_manifest(cohort)
    examples = open_examples(spec, cohort, manifest)["test"]
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 1))
    with torch.no_grad():
        net[1].bias.fill_(torch.nan)
    with pytest.raises(ValueError, match="20 answers are no finite numbers: the training div"):
        make_task(spec, manifest).measure(net, examples, torch.device("cpu"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"metric": "accuracy"}, "'accuracy' does not belong to cohort_scores; allowed: mae"),
        (
            {"recipe": {"kind": "closed_form", "classifier": "svm", "grid": [1.0]}},
            "recipe kind 'closed_form' is not for cohort_scores; allowed: gradient, ridge",
        ),
        ({"recipe": {"kind": "ridge", "grid": [0.0]}}, "greater than 0"),
    ],
)
def test_a_spec_that_means_classes_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        spec_of(**more)
