"""Textured blobs as prepared data: nothing is lost, and the textures of both splits differ."""

import json

import numpy as np
import pytest

from structnets.data.sets.preparation import Preparation
from structnets.data.sets.textured_blobs import TexturedBlobs
from structnets.data.sets.textures import load_textures
from structnets.forms.blobs.stored import TEST_SEED, load_train_textures
from structnets.forms.boundaries.stored import load_boundary_split
from structnets.forms.writing import prepare, verify

ASKED = Preparation("textured_blobs", {"difficulty": "hard", "textures": "skimage"})


@pytest.fixture(scope="module")
def textures():
    return [load_textures(None, split) for split in ("train", "test")]


@pytest.fixture
def prepared(tmp_path):
    prepare(ASKED, tmp_path / "blobs")
    return tmp_path / "blobs"


def test_textures_come_back(prepared, textures):
    found = load_train_textures(prepared)
    assert found.source == "scikit-image"
    for name, images in textures[0].classes.items():
        assert all(map(np.array_equal, found.classes[name], images))


def test_test_set_is_a_stream_of_the_test_textures(prepared, textures):
    split = load_boundary_split(prepared, "test")
    assert len(split) == 100
    sample = TexturedBlobs("hard", 64, TEST_SEED, textures[1])[7]
    assert np.array_equal(split.images[7] / np.float32(255), sample.image)
    assert np.array_equal(split.labels[7], sample.boundary[0])
    assert np.array_equal(split.truths(7), sample.boundary > 0)


def test_manifest_states_weights_and_textures(prepared):
    manifest = json.loads((prepared / "manifest.json").read_text())
    assert manifest["form"] == "blobs"
    assert 10 < manifest["counts"]["train"]["positive_weight"] < 100
    assert manifest["textures"]["brick"] == [[512, 384]]


def test_writing_again_changes_nothing_and_damage_is_named(prepared):
    manifest = prepare(ASKED, prepared)
    assert manifest["digest"] == json.loads((prepared / "manifest.json").read_text())["digest"]
    assert verify(prepared) == []
    with (prepared / "train_textures.npy").open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01\x02")
    with pytest.raises(ValueError, match=r"train_textures.npy has sha256 .* prepare the data set"):
        load_train_textures(prepared)
