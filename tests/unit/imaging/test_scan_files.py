"""Bytes of scans: read to their checksum, bounded, and every fault one sentence with its file."""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from structnets.foreign.limits import SCAN
from structnets.imaging.scan_files import absence, read_whole
from structnets.imaging.volumes import read_volume


@pytest.fixture
def whole(save_volume, oblique) -> bytes:
    """Return the content of a good uncompressed NIfTI file of noise."""
    noise = np.random.default_rng(0).normal(size=(20, 24, 22)).astype(np.float32)
    return save_volume(noise, oblique, "whole.nii").read_bytes()


def with_field(content: bytes, offset: int, form: str, *values: object) -> bytes:
    """Return a header with some of its fields replaced."""
    changed = bytearray(content)
    struct.pack_into(form, changed, offset, *values)
    return bytes(changed)


@pytest.mark.parametrize("place", [0.2, 0.4, 0.6, 0.8, 0.9, 1.0])
def test_a_flipped_bit_in_a_compressed_scan_is_refused(tmp_path, whole, place):
    # Stored, not deflated, so that nothing but the checksum can tell.
    packed = bytearray(gzip.compress(whole, compresslevel=0, mtime=0))
    packed[int(place * (len(packed) - 12))] ^= 4
    path = tmp_path / "flipped.nii.gz"
    path.write_bytes(packed)
    with pytest.raises(ValueError, match=r"flipped\.nii\.gz is truncated or damaged"):
        read_volume(path)


def test_an_untouched_compressed_scan_is_read(tmp_path, whole):
    path = tmp_path / "good.nii.gz"
    path.write_bytes(gzip.compress(whole, compresslevel=0, mtime=0))
    assert read_volume(path).data.shape == (20, 22, 24)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda c: with_field(c, 40, "<8h", 3, 2400, 2400, 2400, 1, 1, 1, 1)[:400], "declares"),
        (lambda c: with_field(c, 40, "<8h", 3, -20, 24, 22, 1, 1, 1, 1), "each axis needs a voxel"),
        (lambda c: with_field(c, 40, "<8h", 77, 20, 24, 22, 1, 1, 1, 1), "not a readable volume"),
        (lambda c: with_field(c, 70, "<h", 9999), "not a readable volume"),
        (lambda c: with_field(c, 108, "<f", float("inf")), "not a readable volume"),
        (lambda c: with_field(c, 108, "<f", float("nan")), "not a readable volume"),
        (lambda c: with_field(c, 108, "<f", -5000.0), "not a readable volume"),
        (lambda c: with_field(c, 123, "<B", 77), "unknown unit 5; expected mm"),
        (
            lambda c: with_field(with_field(c, 108, "<f", 384.0), 348, "<4B2i", 1, 0, 0, 0, 0, 4),
            "not",
        ),
        (lambda c: b"\0" * 400, "neither NIfTI nor Analyze"),
        (gzip.compress, r"compressed by gzip; call it \.nii\.gz"),
        (lambda c: b"", "neither NIfTI nor Analyze"),
    ],
)
def test_a_damaged_header_is_one_sentence_with_its_file(tmp_path, whole, damage, message):
    path = tmp_path / "scan.nii"
    path.write_bytes(damage(whole))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            read_volume(path)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_unpacks_beyond_the_limit_is_refused_with_the_limit(tmp_path, whole, monkeypatch):
    path = tmp_path / "bomb.nii.gz"
    path.write_bytes(gzip.compress(whole + b"\0" * (3 << 20)))
    monkeypatch.setenv(SCAN.variable, "2")
    with pytest.raises(ValueError, match="has more than 2 MB of data, the limit is 2 MB"):
        read_volume(path)
    monkeypatch.setenv(SCAN.variable, "4")
    read_volume(path)
    monkeypatch.setenv(SCAN.variable, "much")
    with pytest.raises(ValueError, match=f"{SCAN.variable} must be a positive whole number"):
        read_volume(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/annex/objects/MD5E-s11--0f.nii.gz\n", "was not fetched: run `datalad get"),
        ("../.git/annex/objects/x/y/MD5E-s11--0f.nii.gz", None),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:0f\n", "run `git lfs pull"),
    ],
)
def test_pointers_are_told_from_scans(tmp_path, text, reason):
    path = tmp_path / "scan.nii.gz"
    path.write_text(text)
    found = absence(path)
    assert found is None if reason is None else reason in str(found)


def test_a_link_to_nothing_says_what_to_run(tmp_path):
    path = tmp_path / "scan.nii.gz"
    path.symlink_to("../.git/annex/objects/Jx/6w/MD5E-s11--0f.nii.gz/MD5E-s11--0f.nii.gz")
    with pytest.raises(FileNotFoundError, match="was not fetched: run `datalad get"):
        read_volume(path)
    path.unlink()
    path.symlink_to(Path("elsewhere.nii.gz"))
    with pytest.raises(FileNotFoundError, match=r"is a link to elsewhere\.nii\.gz, which does not"):
        read_whole(path)
