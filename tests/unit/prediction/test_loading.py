import shutil

import pytest
import torch
from PIL import Image

import structnets
from structnets.files import read_json
from structnets.training.tensor_files import model_content
from structnets.training.trained_net import load_net, save_net


def test_it_answers_as_the_test_of_the_training_did(study):
    loaded = structnets.load(study.run)
    names = (study.prepared / "test_names.txt").read_text().splitlines()
    inputs = [loaded.transform(study.root / "pictures" / name) for name in names]
    expected = read_json(study.run / "result.json")["probabilities"]
    torch.testing.assert_close(
        loaded.probabilities(inputs), torch.tensor(expected), atol=2e-6, rtol=0
    )


def test_it_needs_nothing_but_its_weights(study, tmp_path):
    shutil.copy(study.run / "model.pt", tmp_path / "elsewhere.pt")
    model, transform = structnets.load(tmp_path / "elsewhere.pt")
    picture = Image.new("L", (50, 80), 99)
    assert model(transform(picture)[None]).shape == (1, 2)


def test_a_decoded_image_is_turned_as_its_camera_says(study, tmp_path):
    transform = structnets.load(study.run).transform
    picture = Image.effect_noise((60, 90), 50)
    turned = Image.Exif()
    turned[0x0112] = 6  # orientation: a quarter turn
    picture.save(tmp_path / "phone.png", exif=turned)
    torch.testing.assert_close(
        transform(Image.open(tmp_path / "phone.png")), transform(tmp_path / "phone.png")
    )
    colours = Image.merge("RGB", [picture] * 3)
    for mode in ("CMYK", "YCbCr", "HSV", "LA", "P", "1"):
        assert transform(colours.convert(mode)).shape == transform(picture).shape
    with pytest.raises(ValueError, match="floating-point numbers, of no known range"):
        transform(picture.convert("F"))


@pytest.mark.parametrize("device", ["nonsense", "meta", "mps"])
def test_a_device_that_is_not_here_is_refused(study, device):
    with pytest.raises(ValueError, match=f"device {device}: torch cannot compute on it here"):
        structnets.load(study.run, device)


def test_it_is_found_by_its_run_id(study):
    loaded = structnets.load(study.run.name, results=study.results)
    assert loaded.run_id == study.run.name
    assert loaded.classes == ("<i>along", "across")
    assert not loaded.model.training


def test_a_missing_run_names_the_places(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"runs/none/model\.pt"):
        structnets.load("none", results=tmp_path)


def changed(study, tmp_path, change):
    content = model_content(study.run / "model.pt")
    change(content)
    torch.save(content, tmp_path / "model.pt")
    return tmp_path


@pytest.mark.parametrize("place", ["model", "data"])
def test_foreign_names_are_refused_before_their_code_runs(study, tmp_path, place):
    def change(content):
        content["spec"][place]["name"] = "no_such_package.net:Net"

    folder = changed(study, tmp_path, change)
    with pytest.raises(ValueError, match=r"--trust no_such_package\.net:Net"):
        structnets.load(folder)
    with pytest.raises(ValueError, match="no module"):
        structnets.load(folder, trusted=["no_such_package.net:Net"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content.pop("input"), "train the run again"),
        (lambda content: content.pop("spec"), "no model.pt of a training"),
        (lambda content: content["state_dict"].popitem(), "does not fit|states the digest"),
        (lambda content: content["input"].pop("image_shape"), "does not fit"),
        (lambda content: content["spec"]["recipe"].update(mean_image=True), "mean image"),
    ],
)
def test_what_is_not_whole_is_refused(study, tmp_path, change, said):
    folder = changed(study, tmp_path, change)
    with pytest.raises(ValueError, match=said):
        structnets.load(folder)


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return exec, ("raise SystemExit",)

    torch.save({"spec": Evil(), "state_dict": {}}, tmp_path / "model.pt")
    with pytest.raises(ValueError, match="damaged"):
        structnets.load(tmp_path)


def test_nets_of_data_without_labels_are_refused(study, tmp_path):
    def change(content):
        content["spec"]["data"].update(name="made_boundaries")

    with pytest.raises(ValueError, match="no labels"):
        structnets.load(changed(study, tmp_path, change))


def test_the_net_that_mlflow_keeps_answers_alike(study, tmp_path):
    save_net(study.run, study.prepared, tmp_path / "net")
    loaded, kept = structnets.load(study.run), load_net(tmp_path / "net")
    content = (study.root / "pictures/across/3.jpg").read_bytes()
    (expected,) = loaded.probabilities([loaded.transform(content)]).tolist()
    found = kept.predict_file(content)["probabilities"]
    assert [found[name] for name in loaded.classes] == pytest.approx(expected, abs=1e-6)
