"""The stage that prepares textured blobs."""

import json

import pytest

from pipelines.prepare import main
from structnets.data.prepared.manifest import load_manifest
from structnets.forms.writing import verify


def words(root, out, **prepare):
    request = json.dumps({"name": "textured_blobs", "prepare": prepare})
    return ["--data-root", str(root), "--out", str(out), "--data-json", request]


def test_built_in_textures_need_no_data(tmp_path):
    out = tmp_path / "blobs"
    assert main(words(tmp_path / "none", out, textures="skimage", difficulty="textures")) == 0
    manifest = load_manifest(out)
    assert manifest["source"] == {"textures": "scikit-image"}
    assert manifest["difficulty"] == "textures"
    assert verify(out) == []


def test_default_is_binary_on_kth_tips(data_root, tmp_path):
    assert main(words(data_root, tmp_path / "blobs")) == 0
    manifest = load_manifest(tmp_path / "blobs")
    assert (manifest["source"], manifest["difficulty"]) == ({"textures": "kth_tips"}, "binary")
    assert len(manifest["textures"]) == 10


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ({}, "kth_tips_gray is missing"),
        ({"difficulty": "easy"}, 'allowed: "binary", "textures", "hard"'),
    ],
)
def test_a_user_s_fault_is_one_line(tmp_path, capsys, prepare, message):
    assert main(words(tmp_path / "none", tmp_path / "blobs", **prepare)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
