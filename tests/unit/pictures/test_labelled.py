"""Pictures with any number of labels each: read from tables, checked, split, planned."""

import shutil
from collections import Counter
from functools import partial

import pytest

from structnets.data.sets.pictures import labels_of
from structnets.pictures.gathering import gather
from structnets.pictures.new_study import write_study
from structnets.specs.study import RATES, load_study
from tests.made_picture_labels import GREEN, LABEL, write_labels
from tests.made_picture_tables import gathered, planned, rewritten, without_split

ASKED = {"study": "s", "kind": "multilabel", "label": LABEL, "rows": [{"model": "resnet20"}]}
of, plan = partial(gathered, ASKED), partial(planned, ASKED)


@pytest.fixture
def table(tmp_path):
    return write_labels(tmp_path, broken=False)


def with_cell(table, cell, line=1):
    return rewritten(table, lambda n, c: [c[0], cell if n == line else c[1], *c[2:]])


def sides(found):
    """How many tested pictures have each label, and how many there are."""
    tested = found.of_split("test")
    return Counter(name for p in tested for name in labels_of(p.label)), len(tested)


def test_a_quarter_of_every_label_is_for_testing(table):
    found = of(without_split(table)).pictures
    assert found.classes == (GREEN, "red")
    assert sides(found) == ({GREEN: 6, "red": 6}, 12)
    assert found.counts() == {GREEN: (18, 6), "red": (18, 6)}
    assert sides(of(table, split={"seed": 1}).pictures) == ({GREEN: 6, "red": 6}, 12)


def test_a_rare_label_is_on_both_sides_whatever_it_stands_beside(table):
    without_split(table)
    rewritten(table, lambda n, c: [c[0], f"{c[1]};rare" if n in (1, 5) else c[1]])
    for seed in range(5):
        assert sides(of(table, split={"seed": seed}).pictures)[0]["rare"] == 1


def test_groups_of_labels_stay_on_one_side(table):
    grouped = without_split(table)
    found = of(grouped, split={"groups": r"/(\d)\d"}).pictures
    assert len({(picture.name.split("/")[1][0], picture.split) for picture in found.pictures}) == 5
    with pytest.raises(ValueError, match=r"cannot be split: 24 pictures are with(out)? it, of "):
        of(grouped, split={"groups": "(pictures)"})


def test_order_and_blanks_of_labels_are_no_other_content(table):
    before = of(table).pictures.digest
    assert of(with_cell(table, f"red ; {GREEN}", 3)).pictures.digest == before
    assert of(with_cell(table, "red", 3)).pictures.digest != before


def test_none_is_no_label_in_any_case(table):
    before = of(table).pictures
    rewritten(table, lambda n, c: [c[0], c[1].replace("none", "None"), *c[2:]])
    assert of(table).pictures == before


def test_a_label_that_begins_another_is_its_own(table):
    found = of(rewritten(table, lambda n, c: [c[0], c[1].replace(GREEN, "redder"), c[2]])).pictures
    assert found.counts() == {"red": (16, 8), "redder": (16, 8)}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", r"line 2: things <seen> is '': write none if the picture has none of the labels"),
        ("n/a", "is 'n/a': write none"),
        ("red;;blue", "'red;;blue': a label between ; is empty"),
        ("red;", "a label between ; is empty"),
        (";", "a label between ; is empty"),
        ("red;red", "'red;red': it has 'red' twice"),
        ("NULL", "is 'NULL': write none"),
        ("#N/A", "is '#N/A': write none"),
        ("red;<NA>", "<NA> says that there is no label, and stands beside others"),
        ("None;red", "None says that there is no label, and stands beside others"),
        ("none;red", "none says that there is no label, and stands beside others"),
        ("red;Red", "the labels 'Red' and 'red' have nearly one name"),
        ("RED", "the labels 'RED' and 'red' have nearly one name"),
    ],
)
def test_cells_that_are_no_labels_are_refused(table, cell, said):
    with pytest.raises(ValueError, match=said):
        of(with_cell(table, cell))


def test_a_label_of_every_picture_is_refused(table):
    text = table.read_text().replace(",none,", ",all,").replace(f"{GREEN},", f"{GREEN};all,")
    table.write_text(text.replace("red,", "red;all,"))
    with pytest.raises(ValueError, match="every picture has the label 'all': nothing can be"):
        of(table)


def test_one_label_alone_is_refused(table):
    rewritten(table, lambda n, c: [c[0], c[1] if c[1] in ("red", "none") or not n else "red", c[2]])
    with pytest.raises(ValueError, match=r"has 1 labels \(red\); at least two are needed"):
        of(table)


@pytest.mark.parametrize(("cell", "said"), [(f"red;{GREEN}", "without"), ("none", "with")])
def test_a_given_split_has_every_label_and_its_lack_on_both_sides(table, cell, said):
    rewritten(table, lambda n, c: [c[0], cell if c[2] == "test" else c[1], c[2]])
    with pytest.raises(ValueError, match=rf"no picture {said} the label '.*' is for test"):
        of(table)


def test_lists_of_a_parquet_file_are_labels(table):
    pandas = pytest.importorskip("pandas")
    rows = pandas.read_csv(table, keep_default_na=False)
    lists = rows.assign(**{LABEL: [[] if c == "none" else c.split(";") for c in rows[LABEL]]})
    lists.to_parquet(table.with_suffix(".parquet"))
    assert of(table.with_suffix(".parquet")).pictures.digest == of(table).pictures.digest
    lists.at[0, LABEL] = ["a;b", "red"]
    lists.to_parquet(table.with_suffix(".parquet"))
    with pytest.raises(ValueError, match="holds a list with 'a;b': ; separates labels"):
        of(table.with_suffix(".parquet"))


def test_one_picture_with_two_sets_is_refused(table):
    shutil.copy(table.parent / "pictures/00.png", table.parent / "pictures/again.png")
    table.write_text(table.read_text() + "\npictures/again.png,none,train\n")
    with pytest.raises(ValueError, match=r"same picture, but of the labels 'red' and 'none'"):
        of(table)


def test_single_labels_and_few_pictures_are_told(table):
    rewritten(table, lambda n, c: [c[0], c[1].partition(";")[0] if n else c[1], c[2]])
    said = " ".join(of(table).warnings)
    assert "No picture has more than one label: if each can have one alone" in said
    assert "Few pictures to test on in 2 of 2 labels, <i>green (8), red (4)" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"train_sizes": [1]}, "1 pictures are fewer than the 2 labels"),
        ({"train_sizes": [33]}, "33 are more than the 32 pictures"),
        ({"table": None, "images": "."}, "kind: multilabel needs a table"),
        ({"rows": [{"model": "resnet20", "label": RATES}]}, 'called "the labels\' rates": rename'),
        ({"rows": [{"model": "hnet"}]}, "cannot be made for the classes"),
        (
            {"recipe": {"evaluation": {"split": "validation", "validation_fraction": 0.5}}},
            "recipe of resnet20: evaluation.split is 'validation', and the report of a study is of",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(table, more, said):
    with pytest.raises(ValueError, match=said):
        plan(table, **more)


def test_a_subset_of_which_nothing_can_be_learned_is_refused_when_it_is_planned(table):
    with pytest.raises(
        ValueError, match=r"of the 2 pictures of seed \d that are trained on (all|none)"
    ):
        plan(table, train_sizes=[2], seeds=9)


def test_runs_report_the_mean_average_precision(table):
    runs = plan(table, train_sizes=[8, "all"], seeds=2).runs
    assert {run.spec["metric"] for run in runs} == {"map"}
    assert {run.spec["data"]["prepare"]["classes"] for run in runs} == {2}
    assert len({run.run_id for run in runs}) == 4


def test_new_study_takes_several_names_for_labels_and_says_so(table, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(write_study(None, table, LABEL))
    study = load_study(path)
    assert (study.kind, study.label, study.train_sizes) == ("multilabel", LABEL, [4, 11, "all"])
    assert "12 of 48 pictures have several, 12 none" in path.read_text()
    assert gather(study, path).pictures.digest == of(table).pictures.digest


def test_several_names_are_no_class(table):
    with pytest.raises(ValueError, match=r"names several classes, .* write kind: multilabel"):
        of(rewritten(table, lambda n, c: [c[0], c[1].replace("none", "no"), c[2]]), kind="classes")


def test_names_joined_by_another_sign_are_told(table):
    text = table.read_text().replace(f"{GREEN};red", f"{GREEN} + red")
    table.write_text(text)
    assert f"'{GREEN} + red' looks like several names: if it is" in " ".join(of(table).warnings)
    table.write_text(text.replace("none", "empty"))
    said = of(table, kind="classes").warnings
    assert f"'{GREEN} + red' looks like several names: if it is" in " ".join(said)
