"""Reading idx files, whole and broken."""

import gzip
import struct

import numpy as np
import pytest

from structnets.data.originals.idx import read_idx

IMAGES = np.arange(2 * 3 * 4).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["images.gz", "images"])
def test_values_survive(tmp_path, make_idx, name):
    read = read_idx(make_idx(tmp_path / name, IMAGES), dtype=np.uint8, ndim=3)
    assert read.dtype == np.uint8
    assert read.flags.writeable
    np.testing.assert_array_equal(read, IMAGES)


def test_bytes_by_hand(tmp_path):
    path = tmp_path / "shorts"
    path.write_bytes(bytes.fromhex("00000b01 00000002 0001 fffe".replace(" ", "")))
    read = read_idx(path)
    assert read.dtype == np.dtype("int16")
    assert read.tolist() == [1, -2]


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.gz is missing"):
        read_idx(tmp_path / "absent.gz")


def test_cut_gzip_stream_is_truncated(tmp_path, make_idx):
    path = make_idx(tmp_path / "images.gz", np.random.default_rng(0).integers(0, 256, 5000))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"images\.gz is truncated or damaged"):
        read_idx(path)


def test_altered_gzip_stream_is_damaged(tmp_path, make_idx):
    path = make_idx(tmp_path / "images.gz", IMAGES)
    content = bytearray(path.read_bytes())
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"images\.gz is truncated or damaged.*CRC"):
        read_idx(path)


def test_not_gzip(tmp_path):
    path = tmp_path / "page.gz"
    path.write_text("<html>please log in</html>")
    with pytest.raises(ValueError, match=r"page\.gz is not compressed by gzip"):
        read_idx(path)


@pytest.mark.parametrize(
    ("header", "tail", "message"),
    [
        (struct.pack(">4BIII", 0, 0, 8, 3, 3, 3, 4), b"", "truncated: 24 bytes of values.*36"),
        (struct.pack(">4BIII", 0, 0, 8, 3, *[0xFFFFFFFF] * 3), b"", "truncated: 24 bytes"),
        (b"", b"\0", "bytes after the 24"),
        (struct.pack(">4BIII", 0, 0, 7, 3, 2, 3, 4), b"", "not an idx file.*0x00000703"),
        (struct.pack(">4BIII", 9, 0, 8, 3, 2, 3, 4), b"", "not an idx file.*0x09000803"),
        (struct.pack(">4B", 0, 0, 8, 0), b"", "not an idx file"),
        (struct.pack(">4B", 0, 0, 8, 200), b"", "truncated: its header ends"),
    ],
)
def test_lying_headers_are_refused(tmp_path, make_idx, header, tail, message):
    path = make_idx(tmp_path / "images.gz", IMAGES, header, tail)
    with pytest.raises(ValueError, match=rf"images\.gz .*{message}"):
        read_idx(path)


def test_header_itself_cut_off(tmp_path):
    path = tmp_path / "short.gz"
    path.write_bytes(gzip.compress(b"\0\0"))
    with pytest.raises(ValueError, match="2 bytes, too few for an idx header"):
        read_idx(path)


def test_labels_in_place_of_images(tmp_path, make_idx):
    path = make_idx(tmp_path / "labels.gz", np.arange(5))
    with pytest.raises(ValueError, match=r"labels\.gz has 1 dimensions \(5,\), expected 3"):
        read_idx(path, ndim=3)
    with pytest.raises(ValueError, match="holds uint8 values, expected float32"):
        read_idx(path, dtype=np.float32)
