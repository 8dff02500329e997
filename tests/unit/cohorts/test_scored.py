"""Cohorts whose people have a score: numbers read as they are meant, dealt, and asked for."""

import numpy as np
import pytest
import yaml

from structnets.cohorts.copies import refuse_copies, refuse_equal_files
from structnets.cohorts.folds import scored_folds
from structnets.cohorts.layouts import list_bids
from structnets.cohorts.listing import Scan
from structnets.cohorts.new_study import write_cohort_study
from structnets.cohorts.request import CohortRequest
from structnets.forms.scores.cells import number_in
from structnets.specs.cohort_study import CohortStudy


@pytest.fixture
def bids(tmp_path):
    """Return a maker of a BIDS folder from the scores of its people, as a table has them."""

    def make(scores, ending="\n", head="participant_id\tage\tsite"):
        rows = [head]
        for number, score in enumerate(scores):
            name = f"sub-{number:02d}"
            path = tmp_path / name / "anat" / f"{name}_T1w.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(bytes([number]))
            rows.append(f"{name}\t{score}\ta{number % 2}")
        (tmp_path / "participants.tsv").write_bytes(ending.join(rows).encode("utf-8-sig"))
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("text", "number"), [("65", 65), ("65.0", 65), (".5", 0.5), ("-3e2", -300), ("-0.0", 0)]
)
def test_numbers_are_read(text, number):
    assert number_in(text, "age") == number
    assert str(number_in("-0.0", "age")) == "0.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("65,5", "with a point before decimals"),
        ("1_000", "age is '1_000', which is no number"),
        ("89+", "which is no number: write one, or n/a where there is none"),
        ("2024-03-01", "which is no number"),
        ("inf", "which is no number"),
        ("1e999", "which is no number"),
        ("٦٥", "which is no number"),
    ],
)
def test_what_is_no_number_is_refused_with_its_line(bids, text, message):
    with pytest.raises(ValueError, match=r"participants\.tsv, line 4: sub-02: .*") as caught:
        list_bids(bids([61, 62, text, 64]), "age", ())
    assert message in str(caught.value)


def test_equal_numbers_are_one_label_and_missing_ones_are_left_out(bids):
    root = bids(["65", "65.0 ", "#N/A", "6.5e1", ""], ending="\r\n")
    listing = list_bids(root, "age", ())
    assert [scan.label for scan in listing.scans] == ["65", "65", "65"]
    assert [why for _, why in listing.left_out] == [
        f"has no score: age {text!r} in participants.tsv" for text in ("#N/A", "empty")
    ]
    with pytest.raises(ValueError, match="no scan has a score: 5 scans and 0 labels"):
        list_bids(bids(["n/a"] * 3), "age", ())


def test_folds_have_low_and_high_scores_each():
    scores = np.random.default_rng(0).permutation(43).astype(float)
    subjects = [f"s{n}" for n in range(43)]
    folds = scored_folds(scores, subjects, 5)
    assert set(np.bincount(folds)) == {8, 9}
    means = [scores[folds == fold].mean() for fold in range(5)]
    assert max(means) - min(means) < 6  # of scores from 0 to 42
    np.testing.assert_array_equal(folds, scored_folds(scores, subjects, 5))
    assert (folds != scored_folds(scores, subjects, 5, 1)).mean() > 0.5


def test_scans_of_one_person_stay_in_one_fold():
    subjects = [f"s{n // 2}" for n in range(40)]
    folds = scored_folds(np.arange(40.0), subjects, 4)
    np.testing.assert_array_equal(folds[::2], folds[1::2])


def test_a_person_s_score_may_change_and_two_people_share_no_scan():
    rows = [{"subject": s, "session": n, "label": v} for s, n, v in
            (("a", "1", "65"), ("a", "2", "67"), ("b", "", "70"))]  # fmt: skip
    volumes = np.arange(3, dtype=np.uint8).reshape(3, 1, 1, 1, 1)
    refuse_copies(volumes, rows, [(0, 1, 0.999)], scored=True)
    with pytest.raises(ValueError, match=r"nearly the same have two labels: a_1 \(65\) and b"):
        refuse_copies(volumes, rows, [(0, 2, 0.999)], scored=True)


def test_equal_files_of_two_people_are_refused_before_any_is_registered(tmp_path):
    scans = [Scan(name, "", tmp_path / f"{name}.nii", "65") for name in ("a", "b", "c")]
    refuse_equal_files(zip(scans, "123", strict=True))
    with pytest.raises(ValueError, match=r"equal files of several subjects: .*a\.nii and .*c\.nii"):
        refuse_equal_files(zip(scans, "121", strict=True))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"folds": 4}, "6 subjects have a score, too few for 4 folds of two or more; ask for at"),
        ({"regress_out": "age"}, "cannot name age, the score"),
        ({"leave_out": "age"}, "cannot name age, the score"),
        ({"classes": "a,b"}, "unknown prepare parameter 'classes' for cohort_scores"),
    ],
)
def test_requests_that_mean_nothing_are_refused(bids, more, message):
    folder = bids(range(6))
    with pytest.raises(ValueError, match=message):
        CohortRequest("cohort_scores", {"label_column": "age", **more}, folder).list_scans(folder)


def test_a_column_of_many_numbers_is_written_as_a_score_and_said_so(bids):
    text = write_cohort_study(bids([*range(60, 84), 999]), "age")
    study = CohortStudy.model_validate(yaml.safe_load(text))
    assert (study.kind, study.classes, study.folds) == ("regression", [], 10)
    assert study.covariates == ["site"]
    assert "age holds numbers, 25 different ones: it is taken for a score" in text
    assert "WARNING: 999 lie far from all other scores" in text
    assert study.prepare() == {
        **{"label_column": "age", "grid_mm": 4, "field_of_view": "brain", "covariates": "site"}
    }


def test_few_numbers_stay_classes_and_say_how_to_make_them_a_score(bids):
    text = write_cohort_study(bids([0, 1] * 12), "age")
    assert yaml.safe_load(text)["classes"] == ["0", "1"]
    assert "write kind: regression in place of the line of classes" in text


def test_people_of_one_age_each_are_no_classes(bids):
    text = write_cohort_study(bids(range(60, 74)), "age")
    assert yaml.safe_load(text)["kind"] == "regression"
    assert "WARNING: only 14 people" in text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"kind": "regression", "classes": ["a", "b"]}, "take the classes out"),
        ({}, "name the values of age that are compared; or write kind: regression"),
        ({"kind": "regression", "regress_out": ["age"]}, "age is the score that is estimated"),
        ({"kind": "score"}, "kind"),
    ],
)
def test_a_study_says_what_it_is_of(more, message):
    with pytest.raises(ValueError, match=message):
        CohortStudy.model_validate({"study": "s", "cohort": "c", "label": "age", **more})
