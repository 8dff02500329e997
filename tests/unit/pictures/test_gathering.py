import os
import shutil
from collections import Counter

import pytest

from structnets.foreign.near_names import refuse_near_names
from structnets.pictures.gathering import gather
from structnets.pictures.new_study import train_sizes, write_study
from structnets.specs.study import Study, load_study
from structnets.specs.validation import checked


@pytest.fixture
def gathered(tmp_path):
    def of(root, **more):
        content = {"study": "s", "images": str(root), "rows": [{"model": "resnet20"}], **more}
        return gather(checked(Study, content, "s"), tmp_path / "s.yaml", tmp_path / "memory")

    return of


def splits(found):
    return {picture.name: picture.split for picture in found.pictures.pictures}


def test_a_quarter_of_every_class_is_for_testing(two_classes, gathered):
    assert gathered(two_classes).pictures.counts() == {"cat": (8, 2), "dog": (4, 2)}


def test_another_seed_is_another_split_and_other_content(two_classes, gathered):
    one, other = gathered(two_classes), gathered(two_classes, split={"seed": 1})
    assert splits(one) == splits(gathered(two_classes)) != splits(other)
    assert one.pictures.digest != other.pictures.digest


@pytest.mark.parametrize("change", ["add", "remove", "replace", "relabel", "rename"])
def test_changed_pictures_are_other_content(two_classes, gathered, make, change):
    before, first = gathered(two_classes).pictures.digest, two_classes / "cat/0.png"
    if change == "add":
        make("cat/new.png")
    elif change == "remove":
        first.unlink()
    elif change == "replace":
        make("cat/0.png")
    else:
        first.rename(two_classes / {"relabel": "dog/0x.png", "rename": "cat/0x.png"}[change])
    assert gathered(two_classes).pictures.digest != before


def test_equal_pictures_elsewhere_are_the_same_content(two_classes, gathered, tmp_path):
    shutil.copytree(two_classes, tmp_path / "copy")
    found = [gathered(root).pictures for root in (two_classes, tmp_path / "copy")]
    assert found[0].digest == found[1].digest
    assert found[0].folder != found[1].folder


@pytest.mark.parametrize("seed", range(6))
def test_a_large_group_is_for_testing_only_where_no_other_can_be(make, gathered, seed):
    """Which group comes first is drawn; the first one is not taken whatever its size."""
    sizes = {"a": (9, 2, 2, 2, 1), "b": (6, 6), "c": (1, 2, 7)}
    of_size = [(f"{label}{g}", n) for label, of in sizes.items() for g, n in enumerate(of)]
    root = make(*(f"{group[0]}/{group}_{i}.png" for group, n in of_size for i in range(n)))
    found = gathered(root, split={"groups": r"([abc]\d)_", "seed": seed})
    counts = {label: tested for label, (_, tested) in found.pictures.counts().items()}
    assert 3 <= counts["a"] <= 4
    assert counts["b"] == 6
    assert 1 <= counts["c"] <= 3


def test_a_part_for_testing_unlike_the_asked_one_is_told(make, gathered):
    root = make(*(f"{c}/p{g}_{i}.png" for c in "xy" for g in range(2) for i in range(6)))
    (warning,) = [
        w for w in gathered(root, split={"groups": r"(p\d)_"}).warnings if "split.test" in w
    ]
    assert warning.startswith("50% of the pictures are for testing, where split.test asks for 25%")


def test_groups_stay_on_one_side(make, gathered):
    root = make(*(f"{label}/p{n}_{i}.png" for label in "ab" for n in range(6) for i in range(3)))
    found = splits(gathered(root, split={"groups": r"(p\d)_", "test": 0.3}))
    of_group = Counter((name[2:4], split) for name, split in found.items())
    assert set(of_group.values()) == {6}
    assert set(found.values()) == {"train", "test"}


def test_groups_are_listed_as_numbers_and_are_no_other_content(make, gathered):
    """Given the same sides, groups train nothing else; a name may say who somebody is."""
    sides = ("train", "test")
    root = make(
        *(f"{s}/{c}/{s[1]}{n}_{i}.png" for s in sides for c in "ab" for n in "12" for i in "xy")
    )
    shutil.copy(root / "test/a/e1_x.png", root / "test/a/e9_x.png")
    found = gathered(root, split={"groups": r"(.\d)_"}).pictures
    assert found.digest == gathered(root).pictures.digest
    assert set(found.groups.values()) == {0, 1, 2, 3}
    assert found.groups["test/a/e2_x.png"] == found.groups["test/b/e2_y.png"]
    same = {"test/a/e9_x.png", "test/a/e1_x.png"}
    assert gathered(root).pictures.groups.keys() == same
    assert len({found.groups[name] for name in same}) == 1


def test_a_class_of_one_group_cannot_be_split(make, gathered):
    root = make(*(f"{label}/p{label}_{i}.png" for label in "ab" for i in range(3)))
    with pytest.raises(ValueError, match="class 'a' cannot be split"):
        gathered(root, split={"groups": "(p.)_"})


def test_identical_pictures_stay_together_and_are_said(two_classes, gathered):
    for number in range(6):
        shutil.copy(two_classes / "dog/0.png", two_classes / f"dog/again{number}.png")
    found = gathered(two_classes)
    sides = {split for name, split in splits(found).items() if "again" in name or "dog/0" in name}
    assert len(sides) == 1
    assert any("6 pictures are there more than once" in text for text in found.warnings)


def test_identical_pictures_of_two_classes_are_refused_with_both_names(two_classes, gathered):
    shutil.copy(two_classes / "dog/0.png", two_classes / "cat/copy.png")
    with pytest.raises(ValueError, match=r"cat/copy\.png and dog/0\.png are the same picture"):
        gathered(two_classes)
    assert gathered(two_classes, exclude=["cat/copy.png"]).left_out


def test_identical_pictures_on_both_sides_are_refused_with_both_names(make, gathered):
    root = make(*(f"{split}/{label}/1.png" for split in ("train", "test") for label in "ab"))
    shutil.copy(root / "train/a/1.png", root / "test/a/copy.png")
    with pytest.raises(ValueError, match=r"test/a/copy\.png \(for test\) and train/a/1\.png"):
        gathered(root)


def test_a_group_on_both_sides_is_refused(make, gathered):
    root = make(*(f"{split}/{label}/p1.png" for split in ("train", "test") for label in "ab"))
    with pytest.raises(ValueError, match="group 'p1' is on both sides"):
        gathered(root, split={"groups": "(p1)"})


def test_one_class_is_refused(make, gathered):
    with pytest.raises(ValueError, match="1 classes"):
        gathered(make("a/1.png", "a/2.png"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("cat", "Cat"), ("\xe9", "e\u0301"), ("cat", "cat "), ("1", "1.0"), ("1", "1.00")),
        *(("7", "07"), ("1.5", "01.50"), ("img1", "img01"), ("0", "00"), ("+1", "1")),
    ],
)
def test_classes_of_nearly_one_name_are_refused(make, gathered, one, other):
    names = [f"{label}/{n}.png" for label in (one, other) for n in range(3)]
    with pytest.raises(ValueError, match="have nearly one name: give both the same"):
        gathered(make(*names))


@pytest.mark.parametrize("given", [False, True])
def test_groups_of_nearly_one_name_are_refused(make, gathered, given):
    sides = [f"{side}/" for side in ("train", "test")] if given else [""]
    root = make(*(f"{s}{c}/{p}/{s[:2]}1.png" for s in sides for c in "ab" for p in ("P1", "p1 ")))
    with pytest.raises(ValueError, match="the groups 'P1' and 'p1 ' have nearly one name"):
        gathered(root, split={"groups": "folder"})


def test_groups_of_names_that_lost_a_zero_are_refused(make, gathered):
    root = make(*(f"{c}/p{n}_{i}.png" for c in "ab" for n in ("7", "07", "8") for i in range(2)))
    with pytest.raises(ValueError, match=r"the groups '07' and '7' have nearly one name"):
        gathered(root, split={"groups": r"p(\d+)_"})


def test_numbers_of_other_values_and_codes_of_one_length_are_other_names():
    refuse_near_names(["1.5", "15", "1.05", "-1", "1", "v1.1", "v1.10", "img10", "img1"], "names")
    refuse_near_names(["a01b1", "a1b01", "9" * 5000, f"1{'0' * 4999}"], "names")


def test_several_classes_of_one_picture_are_refused(make, gathered):
    with pytest.raises(ValueError, match=r"'cat;dog' names several classes, separated by ;"):
        gathered(make(*(f"{label}/{n}.png" for label in ("cat", "cat;dog") for n in range(4))))


def test_numbers_of_single_pictures_are_no_classes(make, gathered):
    with pytest.raises(
        ValueError,
        match="6 pictures are 6 different numbers: to estimate",
    ):
        gathered(make(*(f"{n}.5/1.png" for n in range(6))))


def test_classes_may_be_called_by_numbers(make, gathered):
    root = make(*(f"{n}/{m}.png" for n in range(30) for m in "ab"))
    assert len(gathered(root).pictures.counts()) == 30


def test_empty_files_are_left_out(make, gathered):
    root = make("a/1.png", "a/2.png", "b/1.png", "b/2.png")
    for name in ("a/3.png", "b/3.png"):
        (root / name).write_bytes(b"")
    found = gathered(root)
    assert found.left_out == [(f"{c}/3.png", "is empty: it has no byte") for c in "ab"]


def test_a_class_missing_on_one_side_is_refused(make, gathered):
    with pytest.raises(ValueError, match="'b' has no picture for test"):
        gathered(make("train/a/1.png", "train/b/2.png", "test/a/3.png"))


def test_small_and_unequal_classes_are_warned_of(make, gathered):
    root = make(*(f"a/{n}.png" for n in range(40)), *(f"b/{n}.png" for n in range(4)))
    said = " ".join(gathered(root).warnings)
    assert "Few pictures to test on in 1 of 2 classes, b (1)" in said
    assert "unequal: 40 pictures of a, 4 of b" in said


def test_classes_that_are_numbers_are_in_their_order(make, gathered):
    root = make(*(f"{label}/{n}.png" for label in (10, 9, 1) for n in range(2)))
    assert gathered(root).pictures.classes == ("1", "9", "10")


def test_what_new_study_writes_can_be_read_and_run(two_classes, gathered, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(write_study(two_classes))
    study = load_study(path)
    assert gather(study, path).pictures.digest == gathered(two_classes).pictures.digest
    assert "#   cat: 8 + 2" in path.read_text()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("", "groups: null"),
        ("group", "pictures of one group of the table stay"),
        ("split", "# The table's split says"),
    ],
)
def test_what_new_study_writes_of_a_table_can_be_read_and_run(two_classes, tmp_path, columns, said):
    lines = [",".join(["path", "label", *filter(None, [columns])])]
    for number, path in enumerate(sorted(two_classes.rglob("*.png"))):
        value = {"": "", "group": f",g{number // 2}", "split": f",{('train', 'test')[number % 2]}"}
        name = path.relative_to(two_classes)
        lines.append(f"{name},{path.parent.name}{value[columns]}")
    table = tmp_path / "Leaves 2.csv"
    table.write_text("\n".join(lines))
    path = tmp_path / "elsewhere" / "my.yaml"
    path.parent.mkdir()
    path.write_text(write_study(two_classes, table))
    study = load_study(path)
    assert study.study == "leaves_2"
    assert sum(map(sum, gather(study, path).pictures.counts().values())) == 16
    assert said in path.read_text()
    with pytest.raises(FileNotFoundError, match=r"line 2: .* relative to the folder of images"):
        write_study(None, table)


def test_the_order_of_a_table_decides_nothing(two_classes, gathered):
    pictures = sorted(path.relative_to(two_classes).as_posix() for path in two_classes.rglob("*.*"))
    lines = [f"{name},{name[:3]}" for name in pictures]
    found = []
    for order in (lines, lines[::-1]):
        table = two_classes / "table.csv"
        table.write_text("\n".join(["path,label", *order]))
        found.append(gathered(two_classes, table=str(table)).pictures)
    assert found[0] == found[1]
    assert [picture.name for picture in found[0].pictures] == pictures


def test_a_hostile_name_stays_in_its_comment(make, tmp_path):
    root = make(*(f"{number}.png" for number in range(8)))
    labels = ('"a\nstudy: evil"', "b")
    lines = [f"{number}.png,{labels[number % 2]}" for number in range(8)]
    (root / "t.csv").write_text("\n".join(["path,label", *lines]))
    path = tmp_path / "my.yaml"
    path.write_text(write_study(None, root / "t.csv"))
    assert load_study(path).study == "t"


def test_new_study_compares_a_tenth_one_between_and_all():
    assert train_sizes(1000, 20) == [100, 320, "all"]
    assert train_sizes(140, 20) == [20, 53, "all"]
    assert train_sizes(20, 20) == ["all"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "images"),
        ({"images": "x", "train_sizes": [0]}, "train_sizes"),
        ({"images": "x", "train_sizes": ["all", "all"]}, "different"),
        ({"images": "x", "study": "My Study"}, "a-z"),
        ({"images": "x", "pictures": {"side": 32, "crop": 48}}, "crop 48 is larger"),
        ({"images": "x", "pictures": {"side": 33}}, "side"),
        ({"images": "x", "split": {"groups": "patient"}}, "no group in parentheses"),
        ({"images": "x", "rows": [{"model": "resnet20"}] * 2}, "different labels"),
        ({"images": "x", "sizes": [1]}, "train_sizes"),
    ],
)
def test_a_wrong_study_says_what_is_wrong(content, said):
    with pytest.raises(ValueError, match=said):
        checked(Study, {"study": "s", "rows": [{"model": "resnet20"}], **content}, "s")


def test_a_picture_that_cannot_be_read_is_an_error(two_classes, gathered):
    (two_classes / "cat/gone.png").symlink_to(two_classes / "nowhere")
    with pytest.raises(OSError, match=r"gone\.png"):
        gathered(two_classes)
    assert os.path.lexists(two_classes / "cat/gone.png")
