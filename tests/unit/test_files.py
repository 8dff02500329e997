"""Files appear whole or not at all, and damaged ones are named."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from structnets.files import (
    atomic_path,
    csv_text,
    final_name,
    named_by_user,
    read_json,
    sha256_file,
    write_atomic,
    write_json,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, "old"])
def test_full_disk_leaves_the_target_as_it_was(tmp_path: Path, before: str | None) -> None:
    target = tmp_path / "model.pt"
    if before is not None:
        target.write_text(before)

    def write() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half of the n")
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write()
    assert names_in(tmp_path) == ([] if before is None else ["model.pt"])
    assert before is None or target.read_text() == before


def test_nobody_sees_a_file_in_the_making(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == tmp_path
        assert not target.exists()
    assert names_in(tmp_path) == ["result.json"]


def test_two_writers_do_not_share_a_temporary_name(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a") as one, atomic_path(tmp_path / "a") as other:
        assert one != other
        one.write_text("one")
        other.write_text("other")
    assert (tmp_path / "a").read_text() == "one"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    """Not the temporary file's, which its maker alone may read."""
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "kept", "x")
        assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o640
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_text_is_utf8_and_its_folder_is_made(tmp_path: Path) -> None:
    write_atomic(tmp_path / "new" / "folder" / "text", "Größe")
    assert (tmp_path / "new" / "folder" / "text").read_bytes() == "Größe".encode()


def test_json_is_sorted_and_comes_back(tmp_path: Path) -> None:
    content = {"b": [1, 2.5, None], "a": "σ"}
    write_json(tmp_path / "x.json", content)
    text = (tmp_path / "x.json").read_text()
    assert text == '{\n "a": "σ",\n "b": [\n  1,\n  2.5,\n  null\n ]\n}\n'
    assert read_json(tmp_path / "x.json") == content


def test_checksum_equals_hashlib_s_beyond_one_piece(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "big").write_bytes(content)
    assert sha256_file(tmp_path / "big") == hashlib.sha256(content).hexdigest()


def test_checksum_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert sha256_file(tmp_path / "empty").startswith("e3b0c44298fc1c14")


@pytest.mark.parametrize("text", ["", '{"a": 1', "{'a': 1}"])
def test_damaged_json_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "cut.json").write_text(text)
    with pytest.raises(ValueError, match=r"cut\.json is not valid JSON"):
        read_json(tmp_path / "cut.json")


def test_missing_json_is_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.json"):
        read_json(tmp_path / "absent.json")


def test_csv_of_rows():
    assert csv_text(["a", "b"], [{"a": 1, "b": None}, {"b": "x,y"}]) == 'a,b\n1,\n,"x,y"\n'
    with pytest.raises(ValueError, match="fieldnames"):
        csv_text(["a"], [{"c": 1}])


def test_homes_of_users_are_found_and_others_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    assert named_by_user("~/pictures") == Path("/home/somebody/pictures")
    assert named_by_user("a~b/~c") == Path("a~b/~c")
    with pytest.raises(ValueError, match="'~no-such-user/x': there is no home folder"):
        named_by_user("~no-such-user/x")


@pytest.mark.parametrize("name", ["report.html", ".hidden.part"])
def test_unfinished_files_are_named_as_what_they_become(tmp_path: Path, name: str) -> None:
    with atomic_path(tmp_path / name) as unfinished:
        assert final_name(unfinished) == str(tmp_path / name)
    assert final_name(tmp_path / name) == str(tmp_path / name)
