"""A prepared cohort: volumes, folds and subjects, held out run by run."""

import csv

import numpy as np
import pytest

from structnets.forms.cohort.stored import load_cohort, load_held_out, write_cohort
from structnets.forms.splits.stored import load_split
from structnets.forms.writing import verify
from structnets.specs.spec import DataSpec

COUNT = 12


def write(directory, **changed):
    rng = np.random.default_rng(0)
    content = {
        "volumes": rng.integers(0, 256, (COUNT, 1, 4, 5, 3), dtype=np.uint8),
        "labels": np.arange(COUNT, dtype=np.int64) % 2,
        "subjects": [{"subject": f"s{row}", "session": ""} for row in range(COUNT)],
        "folds": np.stack([np.arange(COUNT) % 3, np.arange(COUNT) // 4]),
        **changed,
    }
    prepare = {"grid_mm": 8}
    return write_cohort(
        directory, "toy", prepare, **content, classes=("well", "ill"), source={"from": "test"}
    )


@pytest.fixture
def cohort(tmp_path):
    write(tmp_path / "toy")
    return tmp_path / "toy"


def test_run_s_holds_out_fold_s_of_its_repetition(cohort):
    for run in range(6):
        dealt = load_held_out(cohort, run)
        repetition, fold = divmod(run, 3)
        expected = np.arange(COUNT) % 3 if repetition == 0 else np.arange(COUNT) // 4
        np.testing.assert_array_equal(dealt.test, np.flatnonzero(expected == fold))
        assert sorted([*dealt.train, *dealt.test]) == list(range(COUNT))
    assert isinstance(dealt.volumes, np.memmap)


def test_manifest_and_bytes_agree(cohort):
    manifest = write(cohort)
    assert manifest["form"] == "cohort"
    assert manifest["image_shape"] == [1, 4, 5, 3]
    assert manifest["counts"] == {"cohort": {"well": 6, "ill": 6}}
    volumes, _, _ = load_cohort(cohort)
    assert manifest["statistics"]["mean"] == pytest.approx([volumes.mean() / 255])
    assert verify(cohort) == []


def test_folds_can_be_published(cohort):
    rows = list(csv.DictReader((cohort / "folds.csv").read_text().splitlines()))
    assert rows[4] == {
        "subject": "s4",
        "session": "",
        "label": "well",
        "repetition_0": "1",
        "repetition_1": "1",
    }


def test_the_same_cohort_is_left_alone(cohort):
    before = {path.name: path.stat().st_ino for path in cohort.iterdir()}
    write(cohort)
    assert {path.name: path.stat().st_ino for path in cohort.iterdir()} == before


def test_damage_is_seen(cohort):
    (cohort / "folds.csv").write_text((cohort / "folds.csv").read_text().replace("1", "0"))
    with pytest.raises(ValueError, match=r"folds\.csv has sha256"):
        load_held_out(cohort, 0)
    assert any("folds.csv" in line for line in verify(cohort))


def test_runs_beyond_the_repetitions(cohort):
    with pytest.raises(ValueError, match=r"run 6 is not among the 6 .* 2 repetitions of 3 folds"):
        load_held_out(cohort, 6)


def test_a_cohort_has_no_splits_and_splits_no_folds(cohort, tmp_path):
    with pytest.raises(ValueError, match="has the form 'cohort', not splits"):
        load_split(cohort, "train")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"volumes": np.zeros((COUNT, 1, 4, 4), np.uint8)}, r"uint8 \(12, 1, X, Y, Z\)"),
        ({"volumes": np.zeros((COUNT, 1, 4, 4, 4))}, "got float64"),
        ({"labels": np.full(COUNT, 2)}, r"in 0\.\.1"),
        ({"subjects": []}, "12 labels need as many subjects and folds, got 0"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, changed, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "toy", **changed)
    assert not (tmp_path / "toy").exists()


def test_a_spec_of_a_cohort_takes_no_part_of_it():
    spec = DataSpec(name="oasis_ad126", prepare={"grid_mm": 4})
    assert spec.prepare == {"grid_mm": 4}
    with pytest.raises(ValueError, match="cross-validated whole: leave out train_size"):
        DataSpec(name="oasis_ad126", train_size=50)
    with pytest.raises(ValueError, match="'grid_mm' of oasis_ad126 is 3; allowed: 4, 6, 8"):
        DataSpec(name="oasis_ad126", prepare={"grid_mm": 3})
    assert DataSpec(name="cohort", prepare={"classes": "a,b"}).prepare == {"classes": "a,b"}
    with pytest.raises(ValueError, match="allowed: any str"):
        DataSpec(name="cohort", prepare={"classes": 3})
