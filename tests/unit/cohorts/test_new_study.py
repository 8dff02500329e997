"""What `structnets new-study --cohort` writes of what lies in a folder."""

import pytest
import yaml

from structnets import cli
from structnets.cohorts.new_study import write_cohort_study
from structnets.specs.cohort_study import CohortStudy

HEAD = "participant_id\tage\tsex\tgroup\tscore\n"


@pytest.fixture
def bids(tmp_path):
    """Return a maker of a BIDS folder from the groups of its people."""

    def make(groups):
        rows = []
        for number, group in enumerate(groups):
            name = f"sub-{number:02d}"
            path = tmp_path / "brains" / name / "anat" / f"{name}_T1w.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
            rows.append(f"{name}\t{60 + number}\tf\t{group}\t{number * 1.5}")
        (tmp_path / "brains" / "participants.tsv").write_text(HEAD + "\n".join(rows))
        return tmp_path / "brains"

    return make


def test_what_is_written_is_a_study_with_counts(bids):
    text = write_cohort_study(bids(["patient"] * 12 + ["control"] * 30 + ["other"] * 2), "group")
    study = CohortStudy.model_validate(yaml.safe_load(text))
    assert study.classes == ["control", "patient"]  # the one that is looked for comes second
    assert (study.covariates, study.folds, study.few) == (["age", "sex"], 10, "stop")
    assert "#   patient: 12 with a scan, 12 in the table" in text
    assert "#   other: 2 in the table, not used" in text
    assert "WARNING: classes are of unequal size" in text
    assert "Left out: 2 scans of no class" in text
    assert "WARNING: 42 scans cannot be read, and the study does not start with them" in text


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (["a"], "two different classes or more, got"),
        (["a", "a"], "two different classes or more, got"),
        (["a", "b, c"], "has a comma or a line break, or is empty: 'b, c'"),
    ],
)
def test_classes_are_two_or_more_and_different(bids, classes, said):
    content = yaml.safe_load(write_cohort_study(bids(["a"] * 3 + ["b"] * 4 + ["c"] * 2), "group"))
    assert CohortStudy.model_validate({**content, "classes": ["a", "b", "c"]})
    with pytest.raises(ValueError, match=said):
        CohortStudy.model_validate({**content, "classes": classes})


def test_few_people_are_told(bids):
    text = write_cohort_study(bids(["a"] * 3 + ["b"] * 4), "group")
    assert "WARNING: a class has 3 people. The study stops before anything is trained" in text
    assert yaml.safe_load(text)["folds"] == 3


@pytest.mark.parametrize(
    ("groups", "column", "message"),
    [
        (["a"] * 4, "group", r"column 'group' has the values \{'a': 4\}; needed are two"),
        ([f"a{n}" for n in range(21)], "group", "21 different values, too many for classes, and"),
        (["a", "b"], "diagnosis", "has no column 'diagnosis'; it has participant_id, age, sex"),
    ],
)
def test_a_column_that_has_no_classes_is_refused(bids, groups, column, message):
    with pytest.raises(ValueError, match=message):
        write_cohort_study(bids(groups), column)


def test_a_folder_without_a_table_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither participants\.tsv .* nor labels\.csv"):
        write_cohort_study(tmp_path, "group")


def test_the_command_writes_a_file_once(bids, tmp_path, capsys):
    words = ["new-study", "--cohort", str(bids(["a"] * 3 + ["b"] * 4))]
    out = tmp_path / "my.yaml"
    assert cli.main([*words, "--out", str(out)]) == 2
    assert "--cohort needs --label" in capsys.readouterr().err
    assert cli.main([*words, "--label", "group", "--out", str(out)]) == 0
    assert yaml.safe_load(out.read_text())["label"] == "group"
    assert cli.main([*words, "--label", "group", "--out", str(out)]) == 2
    assert "is there already" in capsys.readouterr().err
