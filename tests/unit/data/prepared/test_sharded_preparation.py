"""Preparation in shards: same bytes for any number of workers, resumable, whole or not at all."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from structnets.data.originals.tars import FileRange
from structnets.data.originals.verified_image import decode_verified, fit
from structnets.data.prepared import sharding
from structnets.data.prepared.manifest import load_manifest
from structnets.data.prepared.sharded_preparation import prepare_shards
from structnets.data.prepared.shards import ShardedSplit, is_sharded
from structnets.forms.splits.stored import load_split
from structnets.forms.writing import verify
from tests.made_imagenet import encoded

CLASSES = ["n1", "n2"]
FACTS = {"dataset": "toy", "prepare": {}, "classes": CLASSES, "source": {"from": "test"}}


def originals(folder, count, start=0, **changes):
    """Write `count` images; `changes` replace some by position."""
    folder.mkdir(parents=True)
    found = []
    for number in range(count):
        path = folder / f"{number}.JPEG"
        size = (20 + number, 30)
        path.write_bytes(changes.get(f"at{number}", encoded(start + number, size)))
        found.append((FileRange(path.name, str(path), 0, path.stat().st_size), number % 2))
    return found


@pytest.fixture
def splits(tmp_path):
    grey = encoded(mode="L")
    return {
        "train": originals(tmp_path / "train", 7, at2=b"no image", at3=grey),
        "test": originals(tmp_path / "test", 3, start=50),
    }


def prepare(out, splits, geometry="squash256", storage="raw", **options):
    return prepare_shards(
        out, splits, FACTS, geometry=geometry, storage=storage, shard_images=2, **options
    )


def state(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.iterdir()}


def test_images_survive_in_order(tmp_path, splits):
    manifest = prepare(tmp_path / "out", splits)
    train = ShardedSplit(tmp_path / "out", "train", checksum=True)
    kept = [entry for number, entry in enumerate(splits["train"]) if number != 2]
    assert train.labels.tolist() == [label for _, label in kept]
    for row, (file, _) in enumerate(kept):
        expected = fit(decode_verified(file.read())[0], "squash256")
        np.testing.assert_array_equal(train.pixels(row), np.asarray(expected))
    assert manifest["quarantined"] == [
        {
            "file": "2.JPEG",
            "reason": "no JPEG: it is a file that begins with 6e 6f 20 69; convert or download it "
            "again",
        }
    ]
    assert manifest["converted"] == {"grey": 1}
    assert manifest["counts"]["train"] == {"n1": 3, "n2": 3}
    assert (tmp_path / "out" / "train_names.txt").read_text().split()[2:4] == ["3.JPEG", "4.JPEG"]
    assert verify(tmp_path / "out") == []


def test_means_are_those_of_the_training_images(tmp_path, splits):
    manifest = prepare(tmp_path / "out", splits)
    train = ShardedSplit(tmp_path / "out", "train")
    images = np.stack([train.pixels(row) for row in range(len(train))]).transpose(0, 3, 1, 2)
    found = np.load(tmp_path / "out" / "mean_image.npy")
    np.testing.assert_allclose(found, images.mean(0), rtol=1e-6)
    np.testing.assert_allclose(manifest["statistics"]["mean"], (images / 255).mean((0, 2, 3)))
    np.testing.assert_allclose(manifest["statistics"]["std"], (images / 255).std((0, 2, 3)))


def test_kept_aspect_and_jpeg(tmp_path, splits):
    manifest = prepare(tmp_path / "out", splits, "short256", "jpeg")
    train = ShardedSplit(tmp_path / "out", "train")
    assert train.encoded
    assert "mean_image.npy" not in manifest["files"]
    for row in range(len(train)):
        assert train.pixels(row).shape == (train.heights[row], train.widths[row], 3)
        assert min(train.heights[row], train.widths[row]) == 256
    original = decode_verified(splits["train"][0][0].read())[0]
    difference = train.pixels(0).astype(float) - np.asarray(fit(original, "short256"))
    assert 10 * np.log10(255**2 / np.square(difference).mean()) > 35


def test_workers_write_the_same(tmp_path, splits):
    alone = prepare(tmp_path / "alone", splits)
    both = prepare(tmp_path / "both", splits, workers=2)
    assert alone == both


def test_same_data_is_left_alone(tmp_path, splits):
    first = prepare(tmp_path / "out", splits)
    before = state(tmp_path / "out")
    assert prepare(tmp_path / "out", splits) == first
    assert state(tmp_path / "out") == before
    prepare(tmp_path / "out", splits, storage="jpeg")
    assert load_manifest(tmp_path / "out")["storage"] == "jpeg"
    names = {path.name for path in tmp_path.iterdir()} - {"train", "test"}
    assert names == {"out", ".out.lock"}


def test_a_damaged_shard_is_written_again(tmp_path, splits):
    first = prepare(tmp_path / "out", splits)
    (tmp_path / "out" / "train_shard00001.bin").write_bytes(b"short")
    assert "train_shard00001.bin has 5 bytes" in verify(tmp_path / "out")[0]
    assert prepare(tmp_path / "out", splits) == first
    assert verify(tmp_path / "out") == []


def test_what_failed_continues(tmp_path, splits, monkeypatch):
    """The second attempt writes what the first did not, and nothing else."""
    written, write = [], sharding.write_shard

    def failing(task):
        if task.number == 2:
            raise OSError("no space left on device")
        write(task)

    def counting(task):
        written.append((task.split, task.number))
        write(task)

    module = "structnets.data.prepared.sharded_preparation.write_shard"
    monkeypatch.setattr(module, failing)
    with pytest.raises(OSError, match="no space left"):
        prepare(tmp_path / "out", splits)
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(module, counting)
    manifest = prepare(tmp_path / "out", splits)
    assert written == [("train", 2), ("train", 3), ("test", 0), ("test", 1)]
    monkeypatch.undo()
    assert prepare(tmp_path / "again", splits)["digest"] == manifest["digest"]
    assert not (tmp_path / ".out.building").exists()


def test_leftovers_of_another_plan_are_not_used(tmp_path, splits, monkeypatch):
    module = "structnets.data.prepared.sharded_preparation.merge"
    monkeypatch.setattr(module, lambda *_: (_ for _ in ()).throw(OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        prepare(tmp_path / "out", splits)
    monkeypatch.undo()
    splits["train"] = splits["train"][1:]
    train = prepare(tmp_path / "out", splits)["counts"]["train"]
    assert sum(train.values()) == 5


SCRIPT = """
import sys, time
sys.path[:0] = sys.argv[3:]
from structnets.data.prepared import sharded_preparation as room
from structnets.data.prepared import sharding
from tests.unit.data.prepared import test_sharded_preparation as test

if __name__ == "__main__":
    from pathlib import Path
    splits = {s: test.listed(Path(sys.argv[1]) / s) for s in ("train", "test")}
    slow = lambda done, total: time.sleep(0.3)
    test.prepare(Path(sys.argv[2]), splits, workers=2, progress=slow)
"""


def listed(folder):
    files = sorted(folder.iterdir())
    ranges = [FileRange(path.name, str(path), 0, path.stat().st_size) for path in files]
    return [(file, number % 2) for number, file in enumerate(ranges)]


@pytest.mark.slow
def test_a_killed_preparation_continues_and_leaves_no_process(tmp_path):
    for split, count in (("train", 40), ("test", 4)):
        originals(tmp_path / "from" / split, count)
    script = tmp_path / "prepare.py"
    script.write_text(SCRIPT)
    root = str(Path(__file__).parents[4])
    command = [sys.executable, str(script), str(tmp_path / "from"), str(tmp_path / "out"), root]
    process = subprocess.Popen(command)
    records = tmp_path / ".out.building" / "records"
    while len(list(records.glob("*.json"))) < 3:
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (tmp_path / "out").exists()
    time.sleep(1.5)
    assert not any(str(script) in line for line in running())
    done = {path.name: path.stat().st_mtime_ns for path in records.glob("*.json")}
    splits = {split: listed(tmp_path / "from" / split) for split in ("train", "test")}
    kept = []

    def note(done_now, total):
        kept.append({path.name: path.stat().st_mtime_ns for path in records.glob("*.json")})

    manifest = prepare(tmp_path / "out", splits, progress=note)
    assert done.items() <= kept[-1].items()
    assert manifest["digest"] == prepare(tmp_path / "whole", splits)["digest"]


def running():
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue


def test_a_class_without_usable_images(tmp_path, splits):
    for file, label in splits["test"]:
        if label == 1:
            Path(file.path).write_bytes(bytes(file.size))
    with pytest.raises(ValueError, match="no image of class n2 in test is usable"):
        prepare(tmp_path / "out", splits)
    assert not (tmp_path / "out").exists()


def test_a_shard_of_broken_images_only(tmp_path, splits):
    for file, _ in splits["train"][:2]:
        Path(file.path).write_bytes(bytes(file.size))
    manifest = prepare(tmp_path / "out", splits)
    assert manifest["files"]["train_shard00000.bin"]["size"] == 0
    assert len(ShardedSplit(tmp_path / "out", "train")) == 4


def test_a_folder_of_other_things_is_not_replaced(tmp_path, splits):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"not prepared data \(thesis\.tex\)"):
        prepare(tmp_path / "out", splits)


def test_forms_are_told_apart(tmp_path, splits):
    prepare(tmp_path / "out", splits)
    assert is_sharded(load_manifest(tmp_path / "out"))
    with pytest.raises(ValueError, match="has the form 'shards', not splits"):
        load_split(tmp_path / "out", "train")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"offset": 10**9}, "points out of a shard"),
        ({"offset": -1}, "points out of a shard"),
        ({"shard": 9}, "points out of a shard"),
        ({"height": 255}, "points out of a shard"),
    ],
)
def test_an_index_that_lies(tmp_path, splits, change, message):
    prepare(tmp_path / "out", splits)
    path = tmp_path / "out" / "train_index.npy"
    index = np.load(path)
    for name, value in change.items():
        index[name][0] = value
    np.save(path, index)
    with pytest.raises(ValueError, match=r"train_index\.npy has sha256"):
        ShardedSplit(tmp_path / "out", "train")
    agree(tmp_path / "out")
    with pytest.raises(ValueError, match=message):
        ShardedSplit(tmp_path / "out", "train")


def agree(folder):
    """Make the manifest agree with files that were changed."""
    from structnets.data.prepared.manifest import content_digest
    from structnets.files import sha256_file

    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    for name, entry in manifest["files"].items():
        entry.update(sha256=sha256_file(folder / name), size=(folder / name).stat().st_size)
    manifest["digest"] = content_digest("toy", {}, manifest["files"], manifest["statistics"])
    path.write_text(json.dumps(manifest))


def test_damaged_shards_do_not_open(tmp_path, splits):
    prepare(tmp_path / "out", splits, storage="jpeg")
    path = tmp_path / "out" / "train_shard00000.bin"
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"train_shard00000\.bin has sha256"):
        ShardedSplit(tmp_path / "out", "train", checksum=True)
    with pytest.raises(ValueError, match="image 0 is a damaged JPEG"):
        ShardedSplit(tmp_path / "out", "train").pixels(0)
    with pytest.raises(ValueError, match="unknown split 'val'; allowed: train, test"):
        ShardedSplit(tmp_path / "out", "val")  # type: ignore[arg-type]
