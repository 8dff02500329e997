import os

import pytest

from structnets.content import content_digest, list_files, visible_files

OLD = 1_000_000_000


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "data"
    for name, text in (("a/1.png", "one"), ("a/._1.png", "mac"), ("b/2.png", "two"), (".x/3", "")):
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (OLD, OLD))
    return place


def listed(folder, known=None):
    return {file.name: file.sha256 for file in list_files(folder, visible_files(folder), known)}


def test_hidden_files_are_no_data(folder):
    assert list(visible_files(folder)) == ["a/1.png", "b/2.png"]


def test_a_link_into_a_circle_ends(folder):
    (folder / "b" / "again").symlink_to(folder)
    assert list(visible_files(folder)) == ["a/1.png", "b/2.png"]


def test_checksums_are_those_of_the_bytes(folder):
    assert listed(folder)["a/1.png"] == (
        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
    )


@pytest.fixture
def settled(monkeypatch):
    """Take a file that was made by this test for one that has been there for long."""
    monkeypatch.setattr("structnets.content._SETTLED_NS", -60_000_000_000)


@pytest.mark.usefixtures("settled")
def test_other_bytes_of_equal_size_and_time_are_read_again(folder, tmp_path):
    known, path = tmp_path / "known.json", folder / "a/1.png"
    before = listed(folder, known)
    path.write_text("eno")  # as long as "one"
    os.utime(path, (OLD, OLD))
    assert path.stat().st_mtime == OLD
    assert listed(folder, known)["a/1.png"] != before["a/1.png"]


@pytest.mark.usefixtures("settled")
def test_a_known_file_is_not_read_again(folder, tmp_path, monkeypatch):
    known = tmp_path / "known.json"
    before = listed(folder, known)
    monkeypatch.setattr("structnets.content.sha256_file", None)
    assert listed(folder, known) == before


def test_a_file_of_another_size_or_time_is_read_again(folder, tmp_path):
    known = tmp_path / "known.json"
    before = listed(folder, known)
    (folder / "a/1.png").write_text("uno")
    assert listed(folder, known)["a/1.png"] != before["a/1.png"]


def test_a_file_written_just_now_is_not_remembered(folder, tmp_path):
    known = tmp_path / "known.json"
    path = folder / "a/1.png"
    path.write_text("uno")
    before, stamp = listed(folder, known), path.stat().st_mtime_ns
    path.write_text("eno")
    os.utime(path, ns=(stamp, stamp))
    assert listed(folder, known)["a/1.png"] != before["a/1.png"]


def test_a_damaged_memory_costs_a_reading_only(folder, tmp_path):
    known = tmp_path / "known.json"
    known.write_text('{"a/1.png": 3}')
    assert listed(folder, known) == listed(folder)


def test_a_missing_file_is_named(folder):
    with pytest.raises(FileNotFoundError, match="absent"):
        list_files(folder, ["absent.png"])


def test_name_label_and_bytes_enter_the_digest_but_not_the_order():
    rows = [("a", "00", "cat"), ("b", "11", "dog")]
    assert content_digest(rows) == content_digest(reversed(rows))
    for other in (("a", "00", "dog"), ("c", "00", "cat"), ("a", "01", "cat")):
        assert content_digest([other, rows[1]]) != content_digest(rows)
