"""The forms of data: each has the modules that its entry names, and they what callers need."""

import importlib

import pytest

from structnets.data.prepared.manifest import MANIFEST, content_digest
from structnets.files import write_json
from structnets.forms.entries import FORMS
from structnets.forms.splits.stored import load_split
from structnets.forms.writing import verify


@pytest.mark.parametrize("name", FORMS)
def test_every_form_has_its_modules(name):
    form = FORMS[name]
    assert callable(importlib.import_module(form.stored).write)
    assert callable(importlib.import_module(form.source).open_examples)
    assert callable(importlib.import_module(form.task).make_task)
    assert form.note
    assert form.metrics


@pytest.mark.parametrize(
    ("name", "classes", "task"),
    [
        ("cohort", "a,b", "classification"),
        ("cohort", "a,b,c", "recorded_classification"),
        ("pictures", 2, "recorded_classification"),
        ("splits", 10, "classification"),
    ],
)
def test_answers_are_kept_of_pictures_and_of_more_than_two_classes_of_scans(name, classes, task):
    form = FORMS[name].for_prepared({"classes": classes, "regress_out": "age"})
    assert form.task == f"structnets.forms.{task}"
    assert form.source.endswith(".residual_source") == (name == "cohort")


def test_a_manifest_that_lists_too_little_is_no_key_error(tmp_path):
    (tmp_path / "toy").mkdir()
    files = {"train_images.npy": {"sha256": "0", "size": 0}}
    manifest = {
        "dataset": "toy",
        "prepare": {},
        "image_shape": [1, 4, 4],
        "classes": ["a"],
        "counts": {},
        "files": files,
        "source": {},
        "versions": {},
        "digest": content_digest("toy", {}, files),
    }
    write_json(tmp_path / "toy" / MANIFEST, manifest)
    with pytest.raises(ValueError, match=r"does not list train_labels\.npy; .* prepare the data"):
        load_split(tmp_path / "toy", "train")
    assert verify(tmp_path / "toy") == [f"{tmp_path / 'toy' / 'train_images.npy'} is missing"]
