"""Covariates regressed out inside the folds."""

import numpy as np
import pytest

from structnets.data.prepared.manifest import load_manifest
from structnets.forms.cohort.covariate_columns import numbers_of, refuse_unusable
from structnets.forms.cohort.covariates import design_matrix, residuals
from structnets.forms.cohort.stored import write_cohort
from structnets.forms.tasks import open_examples
from structnets.specs.spec import validate
from structnets.training.raw_files import RawFiles
from structnets.training.run import run_spec

CLASSES, PEOPLE = ("no", "yes"), 80


def spec_of(regress_out=""):
    prepare = {"label_column": "d", "classes": "no,yes", "folds": 2, "content": "0" * 64}
    return validate(
        {
            "preset": "small", "chapter": None, "seed": 0,
            "model": {"name": "standardized_voxels"},
            "data": {"name": "cohort", "prepare": {
                **prepare, **({"regress_out": regress_out} if regress_out else {})}},
            "recipe": {"kind": "closed_form", "classifier": "logistic", "grid": [0.1], "folds": 5},
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Write a cohort whose classes differ in age, and whose voxels know of age alone."""
    rng = np.random.default_rng(0)
    labels = np.arange(PEOPLE, dtype=np.int64) % 2
    ages = 60 + 10 * labels + rng.normal(0, 5, PEOPLE)
    weights = rng.normal(0, 2, 64)
    voxels = 120 + (ages - 65)[:, None] * weights + rng.normal(0, 3, (PEOPLE, 64))
    people = [
        {"subject": f"s{n}", "session": "", "traits": {"age": f"{age:.3f}"}}
        for n, age in enumerate(ages)
    ]
    folder = tmp_path_factory.mktemp("cohort")

    def write(regress_out):
        place = folder / (regress_out or "whole")
        _write(place, spec_of(regress_out)["data"]["prepare"], voxels, labels, people)
        return place

    return write


def _write(place, prepare, voxels, labels, people):
    write_cohort(
        place, "cohort", prepare, voxels.clip(0, 255).astype(np.uint8).reshape(PEOPLE, 1, 4, 4, 4),
        labels, people, np.tile(np.arange(PEOPLE) // 2 % 2, (10, 1)).astype(np.int64), CLASSES, {},
    )  # fmt: skip


@pytest.mark.parametrize(("regress_out", "low", "high"), [("", 75, 100), ("age", 30, 65)])
def test_what_only_a_covariate_knows_is_chance_without_it(cohort, tmp_path, regress_out, low, high):
    folder = cohort(regress_out)
    result = run_spec(spec_of(regress_out), folder, tmp_path / "run", tmp_path / "work")
    assert low <= result["metrics"]["balanced_accuracy"] <= high


def test_the_fit_is_of_the_training_part_alone(cohort):
    """Held-out volumes enter nothing that is trained on."""
    folder = cohort("age")
    before = open_examples(spec_of("age"), folder, load_manifest(folder))
    test, train = before["test"].indices, before["train"].indices
    design = design_matrix(["age"], [{"age": str(a)} for a in range(PEOPLE)], train)
    volumes = np.random.default_rng(1).normal(size=(PEOPLE, 1, 2, 2, 2))
    other = volumes.copy()
    other[test] *= 7
    one, two = (residuals(v, design, train) for v in (volumes, other))
    np.testing.assert_array_equal(one[train], two[train])
    # What is left of the training part is uncorrelated with the covariate, to the last voxel.
    assert abs(design[train].T @ one[train].reshape(len(train), -1)).max() < 1e-4


def test_names_become_columns_and_an_unknown_one_is_refused():
    traits = [{"site": name} for name in "aabbc"]
    design = design_matrix(["site"], traits[:4], np.array([0, 2, 3]))
    np.testing.assert_allclose(design[:, 0], [-2 / 3, -2 / 3, 1 / 3, 1 / 3])
    with pytest.raises(ValueError, match="site 'c' is of held-out people alone"):
        design_matrix(["site"], traits, np.array([0, 1, 2]))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["f", "None", "m"], "1 of 3 people have no 'x' .p1.: fill .* as none, needs another name"),
        (["1", "n/a", "3"], "1 of 3 people have no 'x' .p1.: fill it in, or exclude them"),
        (["2", "2", "2"], "everybody has the x '2': leave it out"),
        (["a", "a", "b"], "x 'b' is of one person alone"),
        (["1", "2", "inf"], "'inf' is no finite number"),
        (["65", "66", "66,5"], "x holds numbers, and '66,5', which is none"),
        (["65,5", "66,5", "65,5"], "x has decimal commas, such as '65,5': write points"),
    ],
)
def test_what_cannot_be_regressed_out_is_refused_by_name(values, said):
    people = {f"p{number}": {"x": value} for number, value in enumerate(values)}
    with pytest.raises(ValueError, match=said):
        refuse_unusable(["x"], people)


def test_numbered_sites_are_not_taken_for_a_quantity():
    numbers = [{"site": n % 4 + 1, "site_id": n % 2, "age": n % 5} for n in range(20)]
    people = {f"p{i}": {k: str(v) for k, v in of.items()} for i, of in enumerate(numbers)}
    with pytest.raises(ValueError, match=r"site has the numbers 1, 2, 3, 4; .*names such as s1"):
        refuse_unusable(["site"], people)
    # Two sites are one flag by whatever numbers; few ages are still a quantity.
    refuse_unusable(["site_id", "age"], people)


@pytest.mark.parametrize("names", [["1_1", "1_2", "2_1"], ["\u0661", "\u0662", "\u0663"]])
def test_names_that_python_reads_as_numbers_are_names(names):
    assert numbers_of(names) is None
    assert numbers_of([" 65", "6.5e1", "+.5"]) == [65.0, 65.0, 0.5]


def test_more_covariates_than_scans_are_refused():
    with pytest.raises(ValueError, match="2 covariates are too many for 3 scans"):
        residuals(np.zeros((4, 1, 1, 1, 1)), np.zeros((4, 2)), np.arange(3))


def test_such_a_net_cannot_be_asked_about_a_scan():
    with pytest.raises(ValueError, match="less what age say of them"):
        RawFiles(spec_of("age"), {"image_shape": [1, 4, 4, 4]})
