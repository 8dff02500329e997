"""The stage that prepares MNIST, on real and on broken originals."""

import json

import pytest

from pipelines.prepare import main, prepare
from structnets.data.prepared.manifest import load_manifest
from structnets.data.sets.entries.catalogue import find_dataset
from structnets.data.sets.mnist import FILES
from structnets.data.sets.preparation import Preparation
from structnets.forms.writing import verify

REQUEST = ["--data-json", '{"name": "mnist"}']


def unverified(root):
    return Preparation("mnist", {}, root, verify_checksums=False)


def state(directory):
    return {path.name: path.stat().st_mtime_ns for path in (directory, *directory.iterdir())}


def test_real_mnist(data_root, tmp_path):
    request = json.dumps({"name": "mnist", "prepare": {}, "train_size": 300})
    arguments = ["--data-root", str(data_root), "--out", str(tmp_path / "mnist")]
    assert main([*arguments, "--data-json", request]) == 0
    manifest, facts = load_manifest(tmp_path / "mnist"), find_dataset("mnist")
    assert manifest["image_shape"] == list(facts.image_shape)
    assert manifest["counts"]["train"]["0"] == 5923
    assert sum(manifest["counts"]["train"].values()) == facts.train_count
    assert sum(manifest["counts"]["test"].values()) == facts.test_count
    source = manifest["source"]["files"]
    assert {name: entry["sha256"] for name, entry in source.items()} == {
        file.name: file.sha256 for file in FILES.values()
    }


def test_made_files_twice_change_nothing(made_mnist, tmp_path):
    first = prepare(unverified(made_mnist), tmp_path / "mnist")
    before = state(tmp_path / "mnist")
    assert prepare(unverified(made_mnist), tmp_path / "mnist") == first
    assert state(tmp_path / "mnist") == before
    assert verify(tmp_path / "mnist") == []


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (REQUEST, "is not the published file"),
        ([*REQUEST, "--download"], "is not the published file"),
        (["--data-json", '{"name": "mnist", "prepare": {"crop": 1}}'], "allowed: none"),
    ],
)
def test_a_user_s_fault_is_one_line(made_mnist, tmp_path, capsys, extra, message):
    arguments = ["--data-root", str(made_mnist), "--out", str(tmp_path / "mnist"), *extra]
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
    assert not (tmp_path / "mnist").exists()


def test_missing_originals_say_where_to_get_them(tmp_path, capsys):
    arguments = ["--data-root", str(tmp_path / "none"), "--out", str(tmp_path / "mnist")]
    assert main([*arguments, *REQUEST]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    for file in FILES.values():
        assert file.mirrors[0] + file.name in line
        assert file.sha256 in line
        assert str(tmp_path / "none" / "mnist" / file.name) in line
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_original_leaves_the_old_preparation(made_mnist, tmp_path):
    out = tmp_path / "mnist"
    prepare(unverified(made_mnist), out)
    before = state(out)
    images = made_mnist / "mnist" / FILES["test_images"].name
    images.write_bytes(images.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"t10k-images.* is truncated"):
        prepare(unverified(made_mnist), out)
    assert state(out) == before
