"""Pictures with a score each: read from tables, checked, split, planned."""

import shutil
from functools import partial

import pytest

from structnets.pictures.gathering import gather
from structnets.pictures.new_study import write_study
from structnets.specs.study import LINEAR, load_study
from tests.made_picture_scores import LABEL, write_table
from tests.made_picture_tables import gathered, planned, rewritten, without_split

ASKED = {"study": "s", "kind": "regression", "label": LABEL, "rows": [{"model": "resnet20"}]}
of, plan = partial(gathered, ASKED), partial(planned, ASKED)


@pytest.fixture
def table(tmp_path):
    return write_table(tmp_path, broken=False)


def test_low_and_high_scores_are_on_both_sides(table):
    found = of(without_split(table)).pictures
    tested = sorted(float(picture.label) for picture in found.of_split("test"))
    assert len(tested) == 10
    assert all(sum(50 + 16 * n <= s < 66 + 16 * n for s in tested) == 2 for n in range(5))
    assert found.classes == ()


def test_groups_of_scores_stay_on_one_side(table):
    grouped = without_split(table)
    found = of(grouped, split={"groups": r"/(\d)\d", "test": 0.25}).pictures
    sides = {(picture.name.split("/")[1][0], picture.split) for picture in found.pictures}
    assert len(sides) == 4
    with pytest.raises(ValueError, match="all pictures are of one group"):
        of(grouped, split={"groups": "(pictures)"})


def test_equal_numbers_are_equal_content_and_a_corrected_one_is_not(table):
    before = of(table).pictures.digest
    rewritten(table, lambda n, c: [c[0], f"{c[1]}.0" if n else c[1], *c[2:]])
    assert of(table).pictures.digest == before
    rewritten(table, lambda n, c: [c[0], "51" if n == 1 else c[1], *c[2:]])
    assert of(table).pictures.digest != before


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("65,5", "2 cells|4 cells"),
        ('"65,5"', r"line 2: weight <g> is '65,5', which is no number: .* point before decimals"),
        ("89+", r"line 2: weight <g> is '89\+', which is no number"),
        ("inf", "is no number"),
        ("2020-01-02", "is no number"),
    ],
)
def test_what_is_no_number_is_named_with_its_line(table, value, said):
    rewritten(table, lambda n, c: [c[0], value if n == 1 else c[1], *c[2:]])
    with pytest.raises(ValueError, match=said):
        of(table)


def test_two_values_are_no_score(table):
    rewritten(table, lambda n, c: [c[0], str(n % 2) if n else c[1], *c[2:]])
    with pytest.raises(ValueError, match="is 0 and 1 throughout: two values or fewer"):
        of(table)


def test_one_picture_with_two_scores_is_refused(table):
    shutil.copy(table.parent / "pictures/00.png", table.parent / "pictures/again.png")
    table.write_text(table.read_text() + "\npictures/again.png,77,train\n")
    with pytest.raises(ValueError, match=r"same picture, but of the labels '50' and '77'"):
        of(table)


def test_a_split_without_a_side_is_refused(table):
    rewritten(table, lambda n, c: [*c[:2], "train" if n else c[2]])
    with pytest.raises(ValueError, match="no picture is for test"):
        of(table)


def test_a_code_for_a_missing_value_is_told(table):
    rewritten(table, lambda n, c: [c[0], "9999" if n == 1 else c[1], *c[2:]])
    assert "9999 (1). If one is a code" in " ".join(of(table).warnings)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"train_sizes": [9]}, "from 9 pictures no score can be learned; give at least 10"),
        ({"train_sizes": [31]}, "31 are more than the 30 pictures"),
        ({"table": None, "images": "."}, "kind: regression needs a table"),
        ({"label": "split"}, "'split' cannot be the column"),
        ({"label": "mass"}, "lacks the column 'mass'; it has path, weight <g>, split"),
        ({"rows": [{"model": "resnet20", "label": LINEAR}]}, "called 'linear': rename yours"),
        ({"rows": [{"model": "hnet"}]}, "cannot be made for the classes"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(table, more, said):
    with pytest.raises(ValueError, match=said):
        plan(table, **more)


def test_a_subset_of_one_score_is_refused_when_it_is_planned(table):
    rewritten(table, lambda n, c: [c[0], "5" if 1 < n < 39 else c[1], *c[2:]])
    with pytest.raises(ValueError, match=r"the 10 pictures of seed \d .* have the score 5, from"):
        plan(table, train_sizes=[10], seeds=5)


def test_runs_have_a_linear_row_beside_at_every_size(table):
    runs = plan(table, train_sizes=[10, "all"], seeds=2).runs
    assert [(run.row, run.size) for run in runs if not run.seed] == [
        (row, size) for size in (10, 30) for row in ("resnet20", LINEAR)
    ]
    assert {run.spec["metric"] for run in runs} == {"mae"}
    assert len({run.run_id for run in runs}) == 8


def test_new_study_takes_many_numbers_for_a_score(table, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(write_study(None, table, LABEL))
    study = load_study(path)
    assert (study.kind, study.label, study.train_sizes) == ("regression", LABEL, [10, "all"])
    assert "40 different ones: it is taken for a score" in path.read_text()
    assert gather(study, path).pictures.digest == of(table).pictures.digest


def test_new_study_takes_few_numbers_for_classes_and_says_so(table, tmp_path):
    rewritten(table, lambda n, c: [c[0], str(n // 4 % 4) if n else c[1], *c[2:]])
    path = tmp_path / "my.yaml"
    path.write_text(write_study(None, table, LABEL))
    assert (load_study(path).kind, load_study(path).label) == ("classes", LABEL)
    assert "4 different numbers, taken for classes" in path.read_text()
