"""Tables as people save them: faults by file and line, classes as spreadsheets write them."""

import pytest

from structnets.cohorts.sheet import index_rows, one_of, read_labels, read_rows


@pytest.fixture
def table(tmp_path):
    def write(text, name="labels.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def labels(path, *classes):
    return read_labels(path, "id", one_of("group", classes), ["group"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id,group\na,x\nb,"y\nc,x\n', r"labels\.csv, line 3: .*stray quote"),
        ('id,group\na,x\nb,"y"z\n', r"labels\.csv, line 3: .*stray quote"),
        ('id,group\nb,"y\nc,x\nd,y"\n', r"labels\.csv, line 2: .*next line; a stray quote"),
        ("id,group\na,x\n\nb,y,z\n", r"labels\.csv, line 4: expected 2 fields.* found 3"),
        ("id,group,age,group\na,x,5,y\n", r"has the column 'group' 2 times \(columns 2, 4\)"),
        ("id,group, group\na,x,y\n", r"has the column 'group' 2 times"),
        ("id;group\na;x\n", "seem to be separated by ';', expected are commas"),
        ("", "has no column 'id', 'group'; it has "),
        ("id,group\na,x\na,z\n", r"two labels for a: 'x' and None \(lines 2 and 3\)"),
        ("id,group\na,X\n", "line 2: a: group is 'X', which is nearly the class 'x'"),
        ("id,group\na,x\nb,02\n", "line 3: b: group is '02', which is nearly the class '2'"),
        ("id,group\na,x\0\n", "."),
        (b"id,group\na,\xff\n", r"labels\.csv is not text in UTF-8"),
        ("id,group\na," + 200_000 * "x" + "\n", r"labels\.csv, line 2: field larger"),
    ],
)
def test_faults_are_named_by_file_and_line(table, text, message):
    path = table(text)
    if message == ".":
        assert labels(path, "x").of == {}
        return
    with pytest.raises(ValueError, match=message) as caught:
        labels(path, "x", "y", "2")
    assert str(path) in str(caught.value)


def test_whole_numbers_of_a_spreadsheet_are_classes(table):
    found = labels(table("id,group\na,1.0\nb,0\nc,0.00\nd,1.5\ne,10\nf,\n"), "0", "1")
    assert found.of == {"a": "1", "b": "0", "c": "0"}
    assert set(found.refused) == {"d", "e", "f"}


def test_a_classifier_s_error_gets_its_line(table):
    path = table("id,age\na,60\nb,old\n")
    with pytest.raises(ValueError, match=r"line 3: b: invalid literal"):
        read_labels(path, "id", lambda row: str(int(row["age"])), ["age"])


def test_rows_that_contradict_each_other(table):
    path = table("id,group\na,x\nb,x\na,x\n")
    assert list(index_rows(path, "id", ["group"])) == ["a", "b"]
    path = table("id,group,session\na,x,1\na,x,2\n")
    with pytest.raises(ValueError, match="lines 2 and 3: a has two values of session: '1' and '2'"):
        index_rows(path, "id", ["group"])


def test_quoted_fields_tabs_and_marks_are_read(table):
    path = table('\ufeffid\tgroup\r\n"a b"\t"say ""x"", or y"\r\n', "labels.tsv")
    assert list(read_rows(path, ["id"])) == [(2, {"id": "a b", "group": 'say "x", or y'})]


def test_a_table_that_was_not_fetched(tmp_path):
    path = tmp_path / "participants.tsv"
    path.symlink_to(".git/annex/objects/a/b/c")
    with pytest.raises(FileNotFoundError, match=r"participants\.tsv was not fetched: run `datalad"):
        list(read_rows(path, []))
