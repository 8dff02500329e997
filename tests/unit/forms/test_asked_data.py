"""A training on data that are not the spec's is refused, naming both."""

import copy
import json
import re

import pytest

from structnets import cli
from structnets.data.prepared.manifest import load_manifest, remedy
from structnets.forms.asked_data import refuse_other_data, refuse_other_images


@pytest.fixture
def whole(make_spec):
    """A spec for MNIST and the manifest of MNIST as it is."""
    digits = [str(digit) for digit in range(10)]
    manifest = {"dataset": "mnist", "prepare": {}, "image_shape": [1, 28, 28], "classes": digits}
    return make_spec(), manifest


def test_the_data_of_the_spec_pass(whole):
    refuse_other_images(*whole, "there")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": "digits"}, "the data set mnist, and the data in there have digits"),
        ({"prepare": {"partial": True}}, "'partial' left out, and the data in there have True"),
        ({"image_shape": [1, 8, 8]}, "of the shape [1, 28, 28], and the data in there have [1, 8"),
        ({"classes": ["a", "b"]}, "0, 1, 2, 3, 4 … (10), and the data in there have a, b"),
    ],
)
def test_other_data_are_refused_naming_both(whole, change, message):
    spec, manifest = whole
    with pytest.raises(ValueError, match=re.escape(message)):
        refuse_other_images(spec, {**manifest, **change}, "there")


def test_pictures_of_one_s_own_have_the_side_that_their_study_asks_for(make_spec):
    prepare = {"content": "0" * 16, "classes": 2, "geometry": "short96"}
    spec = {**make_spec(), "data": {"name": "pictures", "prepare": prepare}}
    manifest = {"dataset": "pictures", "prepare": prepare, "classes": ["cat", "dog"]}
    refuse_other_images(spec, {**manifest, "image_shape": [3, 96, 96]}, "there")
    with pytest.raises(ValueError, match="images of the shape"):
        refuse_other_images(spec, {**manifest, "image_shape": [1, 96, 96]}, "there")


def test_more_pictures_than_can_be_read_are_refused_naming_the_most(make_spec):
    prepare = {"content": "0" * 16, "classes": 2, "geometry": "short96"}
    manifest = {
        **{"dataset": "pictures", "prepare": prepare, "counts": {"train": {"cat": 11, "dog": 9}}},
        "quarantined": [{"file": f"cat/{n}.png", "reason": "damaged: torn"} for n in range(7)],
    }
    asked = {"name": "pictures", "prepare": prepare}
    for size in (None, 20):
        refuse_other_data({"data": {**asked, "train_size": size}}, manifest, "there")
    with pytest.raises(ValueError, match=r"^train_sizes: 21 .* the 20 .*: 7 of all .* most 20, or"):
        refuse_other_data({"data": {**asked, "train_size": 21}}, manifest, "there")


def test_what_is_off_is_left_out(whole):
    spec, manifest = copy.deepcopy(whole)
    spec["data"]["prepare"] = {"partial": False}
    refuse_other_data(spec, manifest, "there")


def test_a_training_on_the_wrong_folder_is_refused(run, make_spec, make_data, tmp_path, capsys):
    data = make_data()
    spec = {**make_spec(), "data": {"name": "digits", "prepare": {}, "train_size": 20}}
    with pytest.raises(ValueError, match=r"the data set digits, and the data in .* have mnist"):
        run(spec, data=data)
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(spec))
    words = ["train", str(file), "--data", str(data), "--out", str(tmp_path / "out")]
    assert cli.main(words) == 2
    assert "the data set digits" in capsys.readouterr().err
    file.write_text(json.dumps(make_spec()))
    assert cli.main(words) == 2
    assert "of the shape [1, 28, 28]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_folder_that_holds_more_is_given_up(make_data, tmp_path):
    folder = make_data()
    assert remedy(folder).endswith("remove it and prepare the data set again")
    parent = folder.parent
    with pytest.raises(FileNotFoundError, match="it holds mnist: give the folder of one"):
        load_manifest(parent)
    (parent / "thesis").mkdir()
    for place in (parent, parent / "thesis", tmp_path, tmp_path / "nowhere"):
        assert "remove" not in remedy(place)
    (folder / "thesis.tex").write_text("years of work")
    assert "remove" not in remedy(folder)
    (folder / "thesis.tex").unlink()
    (folder / "chapters").mkdir()
    assert "remove" not in remedy(folder)


@pytest.mark.parametrize("side", [40, 56])
def test_pictures_of_one_s_own_are_as_large_as_they_were_prepared(make_spec, side):
    prepare = {"content": "c", "label_column": "age", "geometry": f"short{side}"}
    data = {"name": "picture_scores", "prepare": prepare, "train_size": None}
    manifest = {"dataset": "picture_scores", "prepare": prepare, "classes": ["score"]}
    spec = {**make_spec(), "data": data}
    refuse_other_images(spec, {**manifest, "image_shape": [3, side, side]}, "there")
    with pytest.raises(ValueError, match="of the shape"):
        refuse_other_images(spec, {**manifest, "image_shape": [1, side, side]}, "there")
