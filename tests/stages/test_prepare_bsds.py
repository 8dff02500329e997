"""The stage that prepares BSDS500, on real and on broken originals."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from pipelines.prepare import main, prepare
from structnets.data.originals.boundary_truth import read_bsds_truth
from structnets.data.sets.bsds import bsds_folder
from structnets.data.sets.bsds_release import RELEASED
from structnets.data.sets.preparation import Preparation
from structnets.forms.boundaries.stored import load_boundary_split, positive_weight
from structnets.forms.writing import verify

PARTIAL = {"partial": True}
# One lying and one upright image of each split, by number; how many annotators drew which row.
NUMBERS = {"train": ("2092", "8049"), "val": ("3096", "8023"), "test": ("2018", "3063")}


def save_image(folder, split, name, seed):
    """Write an image of noise and five annotators, of whom three agree on one line."""
    upright = name == NUMBERS[split][1]
    height, width = (481, 321) if upright else (321, 481)
    image = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3))
    path = folder / "images" / split / f"{name}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image.astype(np.uint8)).resize((width, height)).save(path)
    cell = np.empty((1, 5), dtype=object)
    for number in range(5):
        truth = np.zeros((height, width), dtype=np.uint8)
        truth[100 if number < 3 else 150] = 1
        cell[0, number] = {"Boundaries": truth}
    path = folder / "groundTruth" / split / f"{name}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"groundTruth": cell}, do_compression=True)


@pytest.fixture
def made_bsds(tmp_path):
    """Return a data root with two made images in each split."""
    folder = tmp_path / "originals" / "bsds500" / "BSDS500" / "data"
    for seed, (split, name) in enumerate((s, n) for s, names in NUMBERS.items() for n in names):
        save_image(folder, split, name, seed)
    return tmp_path / "originals"


def words(root, out, prepare=PARTIAL):
    request = json.dumps({"name": "bsds500", "prepare": prepare})
    return ["--data-root", str(root), "--out", str(out), "--data-json", request]


def test_release_is_500_images():
    assert {split: len(names) for split, names in RELEASED.items()} == {
        "train": 200,
        "val": 100,
        "test": 200,
    }
    assert len(frozenset.union(*RELEASED.values())) == 500


@pytest.mark.slow
def test_real_originals(data_root, tmp_path):
    original = bsds_folder(data_root)
    assert main(words(data_root, tmp_path / "bsds")) == 0
    split = load_boundary_split(tmp_path / "bsds", "val")
    index = next(i for i, item in enumerate(split.items) if item["transposed"])
    truths = read_bsds_truth(original / "groundTruth" / "val" / f"{split.items[index]['id']}.mat")
    assert np.array_equal(split.truths(index), np.stack(truths).transpose(0, 2, 1))
    assert np.array_equal(split.labels[index], split.truths(index).sum(axis=0) >= 3)
    counts = json.loads((tmp_path / "bsds" / "manifest.json").read_text())["counts"]
    assert counts["train"]["images"] == counts["train"]["released"] == 200
    assert counts["train"]["annotators"] == 1087
    assert 100 < counts["train"]["positive_weight"] < 150


def test_upright_images_are_laid_and_labels_merged(made_bsds, tmp_path):
    manifest = prepare(Preparation("bsds500", PARTIAL, made_bsds), tmp_path / "bsds")
    assert manifest["counts"]["test"]["upright"] == 1
    lying, upright = load_boundary_split(tmp_path / "bsds", "test").labels
    assert np.array_equal(np.flatnonzero(lying.any(axis=1)), [100])
    assert np.array_equal(np.flatnonzero(upright.any(axis=0)), [100])
    assert manifest["counts"]["test"]["positive_weight"] == pytest.approx(
        positive_weight(np.stack([lying, upright]))
    )


def test_majority_is_another_rule(made_bsds, tmp_path):
    truths = made_bsds / "bsds500" / "BSDS500" / "data" / "groundTruth" / "train" / "2092.mat"
    cell = np.empty((1, 7), dtype=object)
    for number in range(7):
        cell[0, number] = {"Boundaries": np.full((321, 481), number < 3, np.uint8)}
    savemat(truths, {"groundTruth": cell})
    for merge, positive in (({}, 1), ({"merge": "majority"}, 0)):
        asked = Preparation("bsds500", PARTIAL | merge, made_bsds)
        prepare(asked, tmp_path / str(positive))
        assert (load_boundary_split(tmp_path / str(positive), "train").labels[0] == positive).all()


def test_twice_changes_nothing_and_damage_is_mended(made_bsds, tmp_path):
    out = tmp_path / "bsds"
    first = prepare(Preparation("bsds500", PARTIAL, made_bsds), out)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    assert prepare(Preparation("bsds500", PARTIAL, made_bsds), out) == first
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before
    with (out / "val_labels.npy").open("r+b") as file:
        file.seek(500)
        file.write(b"\x07")
    with pytest.raises(ValueError, match=r"val_labels.npy has sha256 .* prepare the data set"):
        load_boundary_split(out, "val")
    assert prepare(Preparation("bsds500", PARTIAL, made_bsds), out) == first
    assert len(load_boundary_split(out, "val")) == 2
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_partial_copies_are_asked_for(made_bsds, tmp_path, capsys):
    assert main(words(made_bsds, tmp_path / "bsds", {})) == 1
    message = "holds 4 training and 2 test images of bsds500, expected 300 and 200"
    assert message in capsys.readouterr().err
    assert verify(tmp_path / "bsds") != []
    assert main(words(made_bsds, tmp_path / "bsds")) == 0
    assert verify(tmp_path / "bsds") == []
    manifest = json.loads((tmp_path / "bsds" / "manifest.json").read_text())
    assert (manifest["form"], manifest["prepare"]) == ("boundaries", PARTIAL)


def test_unknown_split_is_named(made_bsds, tmp_path):
    prepare(Preparation("bsds500", PARTIAL, made_bsds), tmp_path / "bsds")
    with pytest.raises(ValueError, match=r"unknown split 'dev'.* has: test, train, val"):
        load_boundary_split(tmp_path / "bsds", "dev")


def move(folder, kind, source, target):
    ending = "jpg" if kind == "images" else "mat"
    (folder / kind / f"{source}.{ending}").rename(folder / kind / f"{target}.{ending}")


def rename_both(folder, source, target):
    for kind in ("images", "groundTruth"):
        move(folder, kind, source, target)


def same_content(folder):
    content = (folder / "images" / "train" / "2092.jpg").read_bytes()
    (folder / "images" / "test" / "2018.jpg").write_bytes(content)


FAULTS = {
    "has it in train": lambda folder: rename_both(folder, "train/2092", "val/2092"),
    "does not have it": lambda folder: rename_both(folder, "train/2092", "train/1"),
    "are one image; remove one": same_content,
    "2092.jpg has no ground truth beside it in train": lambda folder: (
        folder / "groundTruth" / "train" / "2092.mat"
    ).unlink(),
    "8023.mat has no image beside it in val": lambda folder: (
        folder / "images" / "val" / "8023.jpg"
    ).unlink(),
    "2018.mat has (481, 321) pixels, its image has (321, 481)": lambda folder: (
        folder / "groundTruth" / "test" / "2018.mat"
    ).write_bytes((folder / "groundTruth" / "test" / "3063.mat").read_bytes()),
    "3096.jpg cannot be read as a JPEG": lambda folder: (
        folder / "images" / "val" / "3096.jpg"
    ).write_bytes(b"\xff\xd8\xff"),
    "has (100, 100) pixels; allowed: (321, 481), (481, 321)": lambda folder: Image.new(
        "RGB", (100, 100)
    ).save(folder / "images" / "val" / "3096.jpg"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_a_fault_is_one_line(made_bsds, tmp_path, capsys, message):
    FAULTS[message](made_bsds / "bsds500" / "BSDS500" / "data")
    assert main(words(made_bsds, tmp_path / "bsds")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("prepare: ")
    assert message in line
    assert not (tmp_path / "bsds").exists()


def test_image_in_two_splits(made_bsds, tmp_path, capsys):
    folder = made_bsds / "bsds500" / "BSDS500" / "data"
    save_image(folder, "val", "2092", 99)
    assert main(words(made_bsds, tmp_path / "bsds")) == 1
    assert "val/2092.jpg and" in capsys.readouterr().err


def test_missing_originals_say_where_to_get_them(tmp_path, capsys):
    assert main(words(tmp_path / "none", tmp_path / "bsds")) == 1
    assert "get https://www2.eecs.berkeley.edu" in capsys.readouterr().err


def test_labels_without_boundaries_have_no_weight():
    with pytest.raises(ValueError, match="no boundary pixel"):
        positive_weight(np.zeros((2, 2)))
