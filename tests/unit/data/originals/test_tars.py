"""Tar archives as byte ranges: nested ones too; hostile and truncated ones are refused."""

import tarfile

import pytest

from structnets.data.originals.tars import list_tar

FILES = {"a.JPEG": b"first", "b.JPEG": b"x" * 1000, "empty": b""}


def test_files_are_found_where_they_lie(make_tar):
    path = make_tar("made.tar", {"folder": {"type": tarfile.DIRTYPE}, **FILES})
    assert {file.name: file.read() for file in list_tar(path)} == FILES


def test_an_archive_in_an_archive(make_tar):
    inner = make_tar("inner.tar", FILES).read_bytes()
    outer = make_tar("outer.tar", {"n1.tar": inner, "n2.tar": inner})
    for member in list_tar(outer):
        found = list_tar(outer, member)
        assert {file.name: file.read() for file in found} == FILES
        assert {file.path for file in found} == {str(outer)}


def test_long_names(make_tar):
    files = {f"{'d' * 120}/{'n' * 150}.JPEG": b"content"}
    assert {file.name: file.read() for file in list_tar(make_tar("made.tar", files))} == files


@pytest.mark.parametrize(
    ("name", "entry", "message"),
    [
        ("../escape", b"x", "points out of it"),
        ("a/../../escape", b"x", "points out of it"),
        ("/etc/passwd", b"x", "points out of it"),
        ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}, "no plain file"),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "a"}, "no plain file"),
        ("pipe", {"type": tarfile.FIFOTYPE}, "no plain file"),
        ("device", {"type": tarfile.CHRTYPE}, "no plain file"),
    ],
)
def test_hostile_members_are_refused(make_tar, name, entry, message):
    path = make_tar("made.tar", {"fine": b"x", name: entry})
    with pytest.raises(ValueError, match=rf"made\.tar is refused: member '{name}' .*{message}"):
        list_tar(path)


@pytest.mark.parametrize("length", [0, 100, 511, 512, 600, 1024, 1500, 2560, 3071])
def test_every_truncation_is_noticed(make_tar, length):
    path = make_tar("made.tar", FILES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match=r"made\.tar is (truncated|damaged)"):
        list_tar(path)


def test_a_truncated_inner_archive_is_named(make_tar):
    inner = make_tar("inner.tar", FILES).read_bytes()[:1500]
    outer = make_tar("outer.tar", {"n1.tar": inner})
    with pytest.raises(ValueError, match=r"outer\.tar, n1\.tar is (truncated|damaged)"):
        list_tar(outer, list_tar(outer)[0])


def test_damage_within_and_compression_are_noticed(make_tar):
    path = make_tar("made.tar", FILES)
    content = bytearray(path.read_bytes())
    content[1024 + 150] ^= 0xFF  # the checksum of the second header
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged after 1 files"):
        list_tar(path)
    path.write_bytes(b"\x1f\x8b" + bytes(2000))
    with pytest.raises(ValueError, match="no tar archive"):
        list_tar(path)


def test_a_file_that_ends_early(make_tar):
    path = make_tar("made.tar", FILES)
    member = list_tar(path)[1]
    path.write_bytes(path.read_bytes()[: member.offset + 10])
    with pytest.raises(ValueError, match=r"made\.tar ends within b\.JPEG"):
        member.read()
