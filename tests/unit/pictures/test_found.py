import os
from datetime import date

import pyarrow
import pyarrow.parquet
import pytest

from structnets.pictures.found import in_folder, in_table

MISSING = ("None", "NULL", "#N/A", "<NA>", "na")


def names(found):
    return {picture.name: (picture.label, picture.split, picture.group) for picture in found}


def test_a_folder_is_a_class(make):
    root = make("cat/a.png", "dog/deep/b.PNG")
    found = in_folder(root)
    assert names(found.pictures) == {
        "cat/a.png": ("cat", None, None),
        "dog/deep/b.PNG": ("dog", None, None),
    }


def test_what_is_no_picture_of_a_class_is_named(make):
    root = make("cat/a.png", "dog/b.png", "loose.png")
    (root / "cat" / "notes.txt").write_text("")
    (root / "cat" / "._a.png").write_text("")
    assert in_folder(root).left_out == [
        ("cat/notes.txt", "no picture by its ending (.txt)"),
        ("loose.png", "lies in no folder of a class"),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (b"f\xfcnf.png", r"cat/f\\udcfcnf\.png' is not in UTF-8: rename the file"),
        (b"f\xfcnf.txt", r"cat/f\\udcfcnf\.txt' is not in UTF-8: rename the file"),
        ("3\u2028x.png".encode(), r"'cat/3\\u2028x\.png' has a line break: rename the file"),
    ],
)
def test_a_name_that_no_list_holds_is_refused(make, name, said):
    folder = make("cat/a.png") / "cat"
    (folder / "a.png").rename(folder / os.fsdecode(name))
    with pytest.raises(ValueError, match=said):
        in_folder(folder.parent)


def test_a_line_break_of_a_table_is_named(make):
    root = make("3\u2028x.png")
    with pytest.raises(ValueError, match=r"'3\\u2028x\.png' has a line break"):
        in_table(table(root, "path,label\n3\u2028x.png,cat\n"))


@pytest.mark.parametrize(
    ("folders", "splits"),
    [
        (("train", "test"), ("train", "test")),
        (("training", "val"), ("train", "test")),
        (("Train", "Test", "validation"), ("train", "test")),
        (("train", "cats"), (None,)),
    ],
)
def test_train_and_test_folders_are_splits(make, folders, splits):
    root = make(*(f"{folder}/{label}/{folder}.png" for folder in folders for label in "ab"))
    found = in_folder(root).pictures
    assert {picture.split for picture in found} == set(splits)
    assert {picture.label for picture in found} == ({"a", "b"} if splits[0] else set(folders))


def test_validation_pictures_beside_test_ones_are_left_out_and_said(make):
    root = make(*(f"{folder}/a/{folder}.png" for folder in ("train", "test", "val")))
    assert in_folder(root).left_out == [
        ("val/a/val.png", "for validation: neither trained nor tested on")
    ]


def test_a_folder_without_pictures_beside_train_and_test_is_no_class(make):
    root = make(*(f"{folder}/a/{folder}.png" for folder in ("train", "test")))
    for folder, inside in (("__MACOSX", "._a.png"), ("docs", "readme.txt")):
        (root / folder).mkdir()
        (root / folder / inside).write_text("")
    found = in_folder(root)
    assert {(picture.label, picture.split) for picture in found.pictures} == {
        ("a", "train"),
        ("a", "test"),
    }
    assert found.left_out == [("docs/readme.txt", "no picture by its ending (.txt)")]


@pytest.mark.parametrize("test", ["test", "val"])
def test_pictures_beside_train_and_test_are_refused(make, test):
    root = make(*(f"{folder}/a/{folder}.png" for folder in ("train", test, "masks")))
    with pytest.raises(ValueError, match=f"folders train and {test}, and beside them masks"):
        in_folder(root)


@pytest.mark.parametrize(
    ("groups", "name", "group"),
    [("folder", "cat/kim/1.png", "kim"), (r"p(\d+)_", "cat/p07_1.png", "07")],
)
def test_groups_are_folders_or_parts_of_names(make, groups, name, group):
    assert in_folder(make(name), groups).pictures[0].group == group


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        *(("folder", "no folder within"), ("(x)", "not match")),
        (r"(\d*)", r"finds an empty group in the name 'cat/1\.png': write a pattern"),
    ],
)
def test_a_picture_without_a_group_is_refused(make, groups, said):
    with pytest.raises(ValueError, match=said):
        in_folder(make("cat/1.png"), groups)


def table(root, text):
    path = root / "table.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_names_pictures(make, mark):
    root = make("1.png", "x/2.png")
    lines = ["path,label,group,split,more", "1.png,cat,g,train,0", "x/2.png, dog ,h,test,0"]
    found = in_table(table(root, "\ufeff" + "\n".join(lines).replace(",", mark) + "\n"))
    assert names(found.pictures) == {
        "1.png": ("cat", "train", "g"),
        "x/2.png": ("dog", "test", "h"),
    }


def test_a_folder_may_be_called_as_no_value(make):
    found = in_folder(make("none/a.png", "NA/b.png"))
    assert {picture.label for picture in found.pictures} == {"none", "NA"}


def test_a_parquet_table_says_the_same(make):
    root = make("1.png")
    content = pyarrow.table({"path": ["1.png"], "label": [3], "group": [None]})
    pyarrow.parquet.write_table(content, root / "table.parquet")
    assert names(in_table(root / "table.parquet").pictures) == {"1.png": ("3", None, None)}
    dated = content.set_column(1, "label", [[date(2000, 1, 2)]])
    pyarrow.parquet.write_table(dated, root / "table.parquet")
    assert names(in_table(root / "table.parquet").pictures) == {"1.png": ("2000-01-02", None, None)}


def test_a_wrong_parquet_table_is_named(make):
    path = make("1.png") / "table.parquet"
    for columns, said in (
        (["path", "path", "label"], "'path' more than once"),
        (["path", "class"], "lacks the column 'label'"),
    ):
        made = pyarrow.table([["1.png"] for _ in columns], names=columns)
        pyarrow.parquet.write_table(made, path)
        with pytest.raises(ValueError, match=said):
            in_table(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(ValueError, match=r"table\.parquet cannot be read as a parquet file"):
        in_table(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path,class\n1.png,cat\n", "lacks the column 'label'"),
        ("path,label,label\n1.png,a,b\n", "'label' more than once"),
        ("path,label\n1.png\n", "line 2: 1 cells for the 2"),
        ("path,label\n1.png,\n", "line 2: label is empty"),
        *((f"path,label\n1.png,{name}\n", f"line 2: label is '{name}'") for name in MISSING),
        *((f"path,label,group\n1.png,a,{name}\n", f"group is '{name}'") for name in MISSING),
        ("path,label\n1.png,a\n./1.png,b\n", "line 3: 1.png is also in line 2"),
        ("path,label,split\n1.png,a,dev\n", "split is 'dev'"),
        ("path,label,group\n1.png,a,\n2.png,a,n/a\n", "line 3: group is 'n/a'.* leave it empty"),
        ("path,label,split\n1.png,a,train\n2.png,a,\n", "some have none"),
        ('path,label\n1.png,"a\n', "line 2: unexpected end"),
    ],
)
def test_a_wrong_line_is_named(make, text, said):
    with pytest.raises(ValueError, match=said):
        in_table(table(make("1.png", "2.png"), text))


def test_a_picture_of_a_table_that_is_not_there_is_named(make):
    with pytest.raises(FileNotFoundError, match=r"line 2: .*9\.png"):
        in_table(table(make("1.png"), "path,label\n9.png,a\n"))


def test_an_exclusion_that_matches_nothing_is_refused(two_classes):
    found = in_folder(two_classes)
    kept = found.without(["cat/*"])
    assert {picture.label for picture in kept.pictures} == {"dog"}
    assert kept.left_out[0] == ("cat/0.png", "excluded by the study")
    with pytest.raises(ValueError, match=r"cow/\*"):
        found.without(["cow/*"])


def test_a_picture_is_excluded_by_its_own_name(make):
    found = in_folder(make("cat/IMG[0].png", "cat/IMG[1].png")).without(["cat/IMG[0].png"])
    assert [picture.name for picture in found.pictures] == ["cat/IMG[1].png"]
