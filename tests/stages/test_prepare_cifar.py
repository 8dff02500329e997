"""The stage that prepares CIFAR: parts are parts, and broken originals one line."""

import json

import pytest

from pipelines.prepare import main, prepare
from structnets.data.prepared.manifest import load_manifest
from structnets.data.prepared.statistics import channel_statistics
from structnets.data.sets.preparation import Preparation
from structnets.forms.splits.stored import load_split
from structnets.forms.writing import verify

PART = {"partial": True}


def words(root, out, name="cifar10", prepare=None):
    request = json.dumps({"name": name, "prepare": prepare or {}, "train_size": 10})
    return ["--data-root", str(root), "--out", str(out), "--data-json", request]


def test_a_part_is_labelled_and_never_called_whole(made_cifar, tmp_path, capsys):
    out = tmp_path / "cifar100"
    assert main(words(made_cifar, out, "cifar100", PART)) == 0
    manifest = load_manifest(out)
    assert manifest["prepare"] == PART
    assert sum(manifest["counts"]["train"].values()) == 12
    images, _ = load_split(out, "train")
    assert manifest["statistics"] == channel_statistics(images)
    assert prepare(Preparation("cifar100", PART, made_cifar), out) == manifest
    assert verify(out) == []
    assert main(words(made_cifar, tmp_path / "whole")) == 1
    assert "data_batch_1" in capsys.readouterr().err
    assert not (tmp_path / "whole").exists()


def test_edited_statistics_are_noticed(made_cifar, tmp_path):
    prepare(Preparation("cifar10", PART, made_cifar), tmp_path / "part")
    path = tmp_path / "part" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["statistics"]["mean"][0] += 0.1
    path.write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match="states digest"):
        load_manifest(tmp_path / "part")


def test_real_part(data_root, tmp_path):
    assert main(words(data_root, tmp_path / "part", prepare=PART)) == 0
    counts = load_manifest(tmp_path / "part")["counts"]
    assert set(counts["train"].values()) == {100}
    assert set(counts["test"].values()) == {30}


@pytest.mark.slow
def test_real_jpegs(data_root, tmp_path):
    assert main(words(data_root, tmp_path / "jpeg", "cifar10_jpeg")) == 0
    manifest = load_manifest(tmp_path / "jpeg")
    assert set(manifest["counts"]["train"].values()) == {5000}
    assert manifest["statistics"]["mean"] == pytest.approx([0.4914, 0.4822, 0.4465], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "prepare", "message"),
    [
        ("cifar10", {"partial": False}, "'partial' of cifar10 is False; allowed: true, or leave"),
        ("cifar10", {"crop": 1}, "allowed: partial"),
        ("cifar10_jpeg", {}, "train.parquet"),
    ],
)
def test_a_user_s_fault_is_one_line(made_cifar, tmp_path, capsys, name, prepare, message):
    arguments = words(made_cifar, tmp_path / "out", name, prepare)
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
    assert not (tmp_path / "out").exists()
