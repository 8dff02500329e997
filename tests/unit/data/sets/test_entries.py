"""The entries of the data sets: what they name is there, and what lacks is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from structnets.data.sets.entries import ENTRIES, DatasetEntry
from structnets.data.sets.entries.catalogue import DATASETS, class_count, find_dataset
from structnets.data.sets.preparation import Preparation
from structnets.forms.entries import FORMS, find_form
from structnets.forms.writing import prepare


@pytest.mark.parametrize("name", ENTRIES)
def test_every_entry_holds_together(name):
    entry = find_dataset(name)
    assert callable(DATASETS.load(entry))
    assert entry.note
    assert len(entry.image_shape) == (4 if entry.cohort else 3)
    assert entry.form in FORMS
    assert (class_count(name, {}) > 1) == (entry.classes != ("score",))  # a score is one output
    assert not entry.download or all(original.file for original in entry.originals)
    for original in entry.originals:
        assert bool(original.file) != bool(original.where)
        if original.file is not None:
            assert Path(original.places[0]).name == original.file.name


def test_plans_import_no_array_library():
    code = "import sys, structnets.data.sets.entries.catalogue, structnets.forms.entries\n"
    code += "print({'numpy', 'torch', 'pydantic'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_original_may_lie_at_any_of_its_places(tmp_path):
    entry = find_dataset("cifar10")
    (missing,) = entry.missing({}, tmp_path)
    assert missing.how_to_get(tmp_path).endswith(
        f"put it at {tmp_path / 'cifar10' / 'cifar-10-python.tar.gz'}"
    )
    (tmp_path / "cifar10" / "cifar-10-batches-py").mkdir(parents=True)
    assert entry.missing({}, tmp_path) == []


def test_what_a_preparation_does_not_read_is_not_missed(tmp_path):
    entry = find_dataset("textured_blobs")
    (missing,) = entry.missing({}, tmp_path)
    assert "KTH-TIPS" in missing.how_to_get(tmp_path)
    assert str(tmp_path / "kth_tips_gray") in missing.how_to_get(tmp_path)
    assert entry.missing({"textures": "skimage"}, tmp_path) == []


def test_a_data_set_of_an_unknown_form_is_refused(tmp_path, monkeypatch):
    heap = DatasetEntry("structnets.data.sets.digits:read", form="heap")
    monkeypatch.setattr(DATASETS, "_registered", {"own_heap": heap})
    message = "unknown form of data 'heap'; allowed: splits, cohort"
    with pytest.raises(ValueError, match=message):
        prepare(Preparation("own_heap"), tmp_path / "heap")
    with pytest.raises(ValueError, match=message):
        find_form("heap")
    assert not (tmp_path / "heap").exists()


def test_a_left_out_parameter_is_the_first_allowed():
    assert Preparation("photo_shards").option("geometry") == "squash256"
    asked = Preparation("photo_shards", {"geometry": "short320"})
    assert (asked.option("geometry"), asked.option("storage")) == ("short320", "raw")
    with pytest.raises(ValueError, match=r"'geometry' of photo_shards is 'round'; allowed:"):
        Preparation("photo_shards", {"geometry": "round"})
