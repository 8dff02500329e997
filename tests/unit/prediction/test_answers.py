import csv
import json

import pytest
from PIL import Image

from structnets.cli import main


@pytest.fixture
def call(study, capsys):
    def run(command, *words, run=None):
        status = main([command, str(run or study.run), *map(str, words)])
        return status, *capsys.readouterr()

    return run


def test_a_folder_is_answered_for_as_json(study, call):
    status, out, _ = call("predict", study.root / "pictures" / "<i>along", "--json")
    answers = json.loads(out)
    assert status == 0
    assert [answer["file"][-5:] for answer in answers] == [
        f"{n}.{'png' if n % 3 else 'jpg'}" for n in range(8)
    ]
    for answer in answers:
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)
        assert answer["label"] == max(answer["probabilities"], key=answer["probabilities"].get)


def test_a_broken_file_is_named_and_the_others_are_answered(study, call, tmp_path):
    whole = study.root / "pictures" / "across" / "1.png"
    broken = tmp_path / "broken.png"
    broken.write_bytes(whole.read_bytes()[:50])
    status, out, err = call("predict", broken, whole, "--csv", tmp_path / "answers.csv")
    rows = list(csv.DictReader((tmp_path / "answers.csv").read_text().splitlines()))
    assert (status, out) == (1, "")
    assert "broken.png: left out: no picture that can be read: damaged" in err
    assert [bool(row["label"]) for row in rows] == [False, True]
    assert float(rows[1]["p(across)"]) + float(rows[1]["p(<i>along)"]) == pytest.approx(1, abs=1e-5)


def test_a_picture_unlike_those_of_the_training_is_named(call, tmp_path):
    Image.new("RGB", (20, 30), "red").save(tmp_path / "small.png")
    status, out, err = call("predict", tmp_path / "small.png")
    assert status == 0
    assert "20x30 pixels are fewer" in err
    assert "enlarged from 20 to 40" in err
    assert "small.png: " in out


def test_missing_and_empty_places_are_refused(call, tmp_path):
    assert "not there" in call("predict", tmp_path / "none.png")[2]
    assert "holds no picture" in call("predict", tmp_path)[2]
    assert "no run" in call("predict", tmp_path, run=tmp_path)[2]


def test_the_exported_net_answers_alike(study, call, tmp_path):
    import torch

    import structnets

    file = tmp_path / "net.pt2"
    status, out, _ = call("export", "--format", "torch", "--out", file, "--json")
    done = json.loads(out)
    assert (status, done["format"]) == (0, "torch")
    assert done["largest_difference"] < 1e-5
    notes = {"structnets.json": ""}
    net = torch.export.load(file, extra_files=notes).module()
    loaded = structnets.load(study.run)
    assert json.loads(notes["structnets.json"])["classes"] == list(loaded.classes)
    pixels = torch.rand(5, 3, 32, 32)
    mean, std = (
        torch.tensor(loaded.facts["statistics"][key]).view(1, 3, 1, 1) for key in ("mean", "std")
    )
    torch.testing.assert_close(net(pixels), loaded.probabilities((pixels - mean) / std))


@pytest.mark.slow
def test_an_onnx_file_answers_alike_for_any_number_of_pictures(study, call, tmp_path):
    pytest.importorskip("onnxscript")
    onnx = pytest.importorskip("onnx")
    import torch
    from onnx.reference import ReferenceEvaluator

    import structnets

    file = tmp_path / "net.onnx"
    status, out, _ = call("export", "--format", "onnx", "--out", file, "--json")
    assert (status, json.loads(out)["largest_difference"] < 1e-5) == (0, True)
    loaded = structnets.load(study.run)
    (note,) = onnx.load(file).metadata_props
    assert json.loads(note.value)["classes"] == list(loaded.classes)
    pixels = torch.rand(5, 3, 32, 32)
    mean, std = (
        torch.tensor(loaded.facts["statistics"][key]).view(1, 3, 1, 1) for key in ("mean", "std")
    )
    (found,) = ReferenceEvaluator(str(file)).run(None, {"pixels": pixels.numpy()})
    expected = loaded.probabilities((pixels - mean) / std)
    torch.testing.assert_close(torch.from_numpy(found), expected, atol=1e-5, rtol=0)


def test_a_written_net_that_answers_no_numbers_is_refused(study, monkeypatch, tmp_path):
    import torch

    from structnets import load

    def broken(net, pixels, path, note):
        path.write_bytes(b"")
        return torch.full((len(pixels), 2), float("nan"))

    from structnets.prediction import export

    monkeypatch.setattr(export, "_write_torch", broken)
    with pytest.raises(ValueError, match="differs by nan from the trained one"):
        export.export(load(study.run), "torch", tmp_path / "net.pt2")
    assert not list(tmp_path.iterdir())
