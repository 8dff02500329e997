"""Prepared data: written whole or not at all, verified when opened."""

import json
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from structnets.data.prepared.manifest import load_manifest
from structnets.files import sha256_file, write_json
from structnets.forms.splits.stored import load_split, write_prepared
from structnets.forms.writing import verify
from structnets.identity import digest


def made_arrays(seed=0, classes=3):
    rng = np.random.default_rng(seed)
    return {
        "train_images": rng.integers(0, 256, (6, 1, 4, 5), dtype=np.uint8),
        "train_labels": np.arange(6) % classes,
        "test_images": rng.integers(0, 256, (3, 1, 4, 5), dtype=np.uint8),
        "test_labels": np.arange(3) % classes,
    }


def write(directory, arrays=None, prepare=None):
    arrays = made_arrays() if arrays is None else arrays
    return write_prepared(
        directory, "toy", prepare or {}, arrays, ["a", "b", "c"], {"from": "test"}
    )


@pytest.fixture
def prepared(tmp_path):
    write(tmp_path / "toy")
    return tmp_path / "toy"


def state(directory):
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in directory.iterdir()
    }


def test_arrays_survive(prepared):
    expected = made_arrays()
    for split in ("train", "test"):
        images, labels = load_split(prepared, split)
        assert isinstance(images, np.memmap)
        assert not isinstance(labels, np.memmap)
        np.testing.assert_array_equal(images, expected[f"{split}_images"])
        np.testing.assert_array_equal(labels, expected[f"{split}_labels"])
    assert verify(prepared) == []


def test_manifest_by_hand(prepared):
    manifest = load_manifest(prepared)
    assert manifest["image_shape"] == [1, 4, 5]
    assert manifest["counts"] == {"train": dict.fromkeys("abc", 2), "test": dict.fromkeys("abc", 1)}
    assert manifest["source"] == {"from": "test"}
    entry = manifest["files"]["train_images.npy"]
    path = prepared / "train_images.npy"
    assert entry == {"sha256": sha256_file(path), "size": path.stat().st_size}
    named = {key: manifest[key] for key in ("dataset", "prepare", "files")}
    assert manifest["digest"] == digest(named)


def test_writing_to_the_map_does_not_reach_the_file(prepared):
    load_split(prepared, "train")[0][:] = 0
    assert verify(prepared) == []


def test_same_data_is_left_alone(prepared):
    before = state(prepared)
    manifest = write(prepared)
    assert state(prepared) == before
    assert manifest == load_manifest(prepared)


def test_other_or_damaged_data_is_replaced(prepared):
    write(prepared, made_arrays(seed=1))
    np.testing.assert_array_equal(load_split(prepared, "test")[0], made_arrays(1)["test_images"])
    (prepared / "test_labels.npy").unlink()
    write(prepared, made_arrays(seed=1))
    assert verify(prepared) == []
    assert write(prepared, made_arrays(seed=1), {"size": 4})["prepare"] == {"size": 4}
    assert {entry.name for entry in prepared.parent.iterdir()} == {"toy", ".toy.lock"}


def test_a_killed_writer_leaves_nothing_half_written(tmp_path):
    script = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[2])\n"
        "import structnets.data.prepared.manifest as p, test_stored\n"
        "p.write_json = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "test_stored.write(sys.argv[1])\n"
    )
    command = [sys.executable, "-c", script, tmp_path / "toy", Path(__file__).parent]
    assert subprocess.run(command).returncode == -signal.SIGKILL
    assert not (tmp_path / "toy").exists()
    assert len(list(tmp_path.glob(".toy.*.part"))) == 1
    write(tmp_path / "toy")
    assert verify(tmp_path / "toy") == []
    assert {entry.name for entry in tmp_path.iterdir()} == {"toy", ".toy.lock"}


def test_a_full_disk_changes_nothing(prepared, monkeypatch):
    before = state(prepared)

    def fail(*_, **__):
        raise OSError("5 requested and 0 written")

    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(OSError, match=r"could not write .*train_images\.npy: 5 requested"):
        write(prepared, made_arrays(seed=1))
    assert state(prepared) == before
    assert {entry.name for entry in prepared.parent.iterdir()} == {"toy", ".toy.lock"}


def test_writers_at_once_agree(tmp_path):
    threads = [threading.Thread(target=write, args=(tmp_path / "toy",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify(tmp_path / "toy") == []
    assert {entry.name for entry in tmp_path.iterdir()} == {"toy", ".toy.lock"}


def test_an_empty_folder_or_a_link_may_be_the_target(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "toy").symlink_to("disk")
    write(tmp_path / "toy")
    assert (tmp_path / "toy").is_symlink()
    assert verify(tmp_path / "disk") == []


def test_a_folder_of_other_things_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"not prepared data \(thesis\.tex\); choose another"):
        write(tmp_path)
    with pytest.raises(ValueError, match="is a file"):
        write(tmp_path / "thesis.tex")
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def flip_last_byte(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_every_mismatch_is_reported(prepared):
    flip_last_byte(prepared / "train_images.npy")
    (prepared / "test_images.npy").write_bytes(b"short")
    (prepared / "test_labels.npy").unlink()
    images, labels, train = sorted(verify(prepared))
    assert "test_images.npy has 5 bytes" in images
    assert "test_labels.npy is missing" in labels
    assert "train_images.npy has sha256" in train


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("kind", ["images", "labels"])
def test_a_tampered_split_does_not_open(prepared, split, kind):
    flip_last_byte(prepared / f"{split}_{kind}.npy")
    with pytest.raises(ValueError, match=rf"{split}_{kind}\.npy has sha256 .*prepare the data set"):
        load_split(prepared, split)


def test_without_checksums_form_is_still_checked(prepared):
    path = prepared / "train_images.npy"
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(
        ValueError, match=r"train_images\.npy cannot be read as .*remove it and prep"
    ):
        load_split(prepared, "train", checksum=False)
    path.unlink()
    with pytest.raises(ValueError, match=r"train_images\.npy is missing; .*prepare the data set"):
        load_split(prepared, "train", checksum=False)


def test_missing_or_damaged_manifest(prepared):
    path = prepared / "manifest.json"
    path.write_bytes(b"\xff{")
    with pytest.raises(ValueError, match=r"manifest\.json is damaged .*remove it and prepare"):
        load_split(prepared, "train")
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"manifest\.json is missing; .*prepare the data"):
        load_split(prepared, "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"digest": "0" * 64}, "states digest 0000"),
        ({"dataset": "mnist"}, "states digest"),
        ({"files": {"../secret": {}}}, "lists '../secret', which is no plain name"),
        ({"classes": "abc"}, "has classes 'abc', expected a list"),
        ({"image_shape": [1, 5, 4]}, r"shape \(1, 4, 5\), expected uint8 \(1, 5, 4\)"),
        ({"classes": ["a", "b"]}, "has 2 classes"),
        ({"counts": {}}, "other train counts"),
        ({"form": "heap"}, "has the form 'heap'; known: splits, cohort"),
    ],
)
def test_an_edited_manifest_is_noticed(prepared, change, message):
    path = prepared / "manifest.json"
    write_json(path, json.loads(path.read_text()) | change)
    assert re.search(message, verify(prepared)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_images": np.zeros((6, 1, 4, 5), np.float32)}, "train_images must be a non-empty"),
        ({"test_images": np.zeros((0, 1, 4, 5), np.uint8)}, "test_images must be a non-empty"),
        ({"train_labels": np.arange(5)}, r"train_labels must be int64 \(6,\), got int64 \(5,\)"),
        ({"test_labels": np.array([0, 1, 3])}, r"test_labels must lie in 0\.\.2, got 0\.\.3"),
        ({"test_images": np.zeros((3, 1, 5, 5), np.uint8)}, "differ in shape"),
        ({"more": np.zeros(1)}, "arrays must be train_images"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "toy", made_arrays() | change)
    assert list(tmp_path.iterdir()) == []


def test_unknown_split(prepared):
    with pytest.raises(ValueError, match="unknown split 'validation'; allowed: train, test"):
        load_split(prepared, "validation")
