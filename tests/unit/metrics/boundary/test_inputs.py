"""Predictions in files: three forms of the same map, pairing, and every bad input by name."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from structnets.data.originals.boundary_truth import read_truth, truth_files
from structnets.metrics.boundary.inputs import find_pairs, read_prediction

MAP = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


@pytest.fixture
def write(tmp_path):
    """Return a writer of one prediction by its ending."""

    def make(ending, values):
        path = tmp_path / f"image{ending}"
        if ending == ".png":
            Image.fromarray(values).save(path)
        elif ending == ".npy":
            np.save(path, values)
        else:
            savemat(path, values)
        return path

    return make


@pytest.mark.parametrize(
    ("ending", "values"),
    [
        (".png", MAP),
        (".png", MAP.astype(np.uint16) * 257),
        (".npy", MAP),
        (".npy", (MAP / 255)[None]),
        (".mat", {"edges": MAP}),
        (".mat", {"edges": MAP / 255}),
        (".mat", {"ucm2": np.kron(np.pad(MAP / 255, ((1, 0), (1, 0))), np.ones((2, 2)))[1:, 1:]}),
    ],
)
def test_all_forms_give_the_same_map(write, ending, values):
    found = read_prediction(write(ending, values))
    assert found.flags.c_contiguous
    assert np.allclose(found, MAP / 255)


@pytest.mark.parametrize(
    ("ending", "values", "message"),
    [
        (".png", np.zeros((3, 4, 3), np.uint8), "has mode RGB; a grey image"),
        (".npy", MAP.astype(int), "has type int64; allowed: floating point in 0..1"),
        (".npy", MAP * 1.0, "has values in 0..220; allowed: 0..1"),
        (".npy", np.full((3, 4), np.nan), "has 12 values that are NaN"),
        (".npy", np.zeros((2, 3, 4)), r"has shape \(2, 3, 4\)"),
        (".npy", np.array([{}], object), "cannot be read as an array"),
        (".mat", {"a": MAP, "b": MAP}, r"must hold ucm2 or one matrix, it has 2 \(variables: a, b"),
        (".mat", {"ucm2": "words"}, r"must hold ucm2 or one matrix, it has 0 \(variables: ucm2"),
        (".mat", {"segs": np.array([[{}]], object)}, r"it has 0 \(variables: segs\)"),
    ],
)
def test_bad_values_are_named(write, ending, values, message):
    path = write(ending, values)
    with pytest.raises(ValueError, match=message) as error:
        read_prediction(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize("ending", [".png", ".npy", ".mat"])
@pytest.mark.parametrize("kept", [0, 60, -10])
def test_damaged_files_are_named(write, ending, kept):
    path = write(ending, {"edges": MAP} if ending == ".mat" else MAP)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match=r"image\.\w+ (is no|cannot be read as)"):
        read_prediction(path)


def test_other_endings_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"x.jpg: a prediction ends in .png, .npy, .mat"):
        read_prediction(tmp_path / "x.jpg")


def test_pairs_by_name(folders):
    pairs = find_pairs(folders.predictions, folders.truth)
    assert [pair.name for pair in pairs] == ["a", "b", "c"]
    assert pairs[1].files == (folders.predictions / "b.npy", folders.truth / "b.mat")


def test_one_png_per_annotator(tmp_path):
    (tmp_path / "own").mkdir()
    for number in range(3):
        Image.fromarray(255 * (20 * number < MAP).astype(np.uint8)).save(
            tmp_path / "own" / f"{number}.png"
        )
    truths = read_truth(truth_files(tmp_path, "own"))
    assert [truth.sum() for truth in truths] == [11, 10, 9]


def test_grey_ground_truth_needs_a_threshold(tmp_path):
    Image.fromarray(MAP).save(tmp_path / "own.png")
    files = truth_files(tmp_path, "own")
    with pytest.raises(ValueError, match="has 12 grey values; ground truth must be binary"):
        read_truth(files)
    assert read_truth(files, threshold=0.5)[0].sum() == 5


@pytest.mark.parametrize(
    ("remove", "subset", "message"),
    [
        ("predictions/a.png", False, "predictions has no prediction for a: 1 missing"),
        ("truth/b.mat", True, "truth has no ground truth for b: 1 missing"),
    ],
)
def test_missing_files_are_listed(folders, tmp_path, remove, subset, message):
    (tmp_path / remove).unlink()
    with pytest.raises(FileNotFoundError, match=message):
        find_pairs(folders.predictions, folders.truth, subset=subset)


def test_subset_leaves_out_what_has_no_prediction(folders):
    (folders.predictions / "a.png").unlink()
    pairs = find_pairs(folders.predictions, folders.truth, subset=True)
    assert [pair.name for pair in pairs] == ["b", "c"]


def test_two_forms_of_one_image_are_refused(folders):
    np.save(folders.predictions / "a.npy", MAP)
    with pytest.raises(ValueError, match=r"a.npy and .*a.png are predictions of one image"):
        find_pairs(folders.predictions, folders.truth)


@pytest.mark.parametrize("other", ["truth/a.png", "truth/a"])
def test_two_forms_of_ground_truth_are_refused(folders, tmp_path, other):
    path = tmp_path / other
    if path.suffix:
        Image.fromarray(MAP).save(path)
    else:
        path.mkdir()
        Image.fromarray(MAP).save(path / "1.png")
    with pytest.raises(ValueError, match="both hold ground truth; remove one"):
        find_pairs(folders.predictions, folders.truth)


def test_folder_and_file_do_not_pair(folders):
    with pytest.raises(ValueError, match="must be two folders or two files"):
        find_pairs(folders.predictions, folders.truth / "a.mat")
    with pytest.raises(FileNotFoundError, match="absent does not exist"):
        find_pairs(folders.predictions, folders.truth / "absent")


@pytest.mark.parametrize("ending", [".PNG", ".NPY", ".MAT", ".Png", ".nPY"])
def test_endings_in_capitals_are_read(folders, ending):
    path = next(folders.predictions.glob(f"*{ending.lower()}"))
    path.rename(path.with_suffix(ending))
    truth = folders.truth / f"{path.stem}.mat"
    truth.rename(truth.with_suffix(".Mat"))
    pair = next(p for p in find_pairs(folders.predictions, folders.truth) if p.name == path.stem)
    assert pair.files == (path.with_suffix(ending), truth.with_suffix(".Mat"))
    assert read_prediction(pair.prediction).shape == read_truth(pair.truths)[0].shape


def test_pictures_that_are_not_read_are_named(folders):
    path = folders.predictions / "a.png"
    Image.open(path).save(path.with_suffix(".jpg"))
    path.unlink()
    with pytest.raises(
        FileNotFoundError, match=r"no prediction for a: 1 missing; there is a\.jpg, which is not"
    ):
        find_pairs(folders.predictions, folders.truth)
    for other in "bc":
        next(folders.predictions.glob(f"{other}.*")).unlink()
    with pytest.raises(FileNotFoundError, match=r"holds no prediction: .*a\.jpg.*JPEG changes"):
        find_pairs(folders.predictions, folders.truth, subset=True)


def test_hidden_files_are_neither_predictions_nor_truth(folders):
    for folder, ending in ((folders.predictions, "png"), (folders.truth, "mat")):
        (folder / f"._a.{ending}").write_bytes(b"\0\5\x16\7")
    assert [pair.name for pair in find_pairs(folders.predictions, folders.truth)] == ["a", "b", "c"]


def test_json_is_no_prediction(folders):
    (folders.predictions / "notes.json").write_text(json.dumps({}))
    assert len(find_pairs(folders.predictions, folders.truth)) == 3
