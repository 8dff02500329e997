"""A study of pictures with several labels: from a table to the report and to predictions."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import structnets
from pipelines.forget import belongings
from pipelines.report_study import report_study
from pipelines.tracking.datasets import inputs_of
from pipelines.tracking.descriptions import of_model
from pipelines.tracking.logged_models import _pack
from structnets.cli import main
from structnets.files import read_json, write_json
from structnets.forms.shards.stored import load_answers
from structnets.forms.writing import verify
from structnets.metrics.multilabel import scores_of_labels
from structnets.specs.study import RATES
from structnets.training.trained_net import load_net, save_net
from tests.made_picture_labels import GREEN, make_label_study

PLAIN = "plain <b>"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_label_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def files(study):
    return report_study(study.planned, study.prepared.parent, study.results)


@pytest.fixture
def run(study):
    largest = max(study.planned.runs, key=lambda run: (run.size, -run.seed))
    return study.results / "runs" / largest.run_id


def test_cells_by_hand(study, files):
    cells = read_json(files["results.json"])["cells"]
    assert [(cell["train_size"], cell["row"]) for cell in cells] == [
        (size, row) for size in (8, 32) for row in (PLAIN, RATES)
    ]
    sets = np.array([[n % 4 in (1, 2), n % 4 in (0, 2)] for n in range(48) if n % 12 < 4])
    for cell in cells[::2]:
        runs = [read_json(study.results / "runs" / run / "result.json") for run in cell["run_ids"]]
        each = [scores_of_labels(sets, np.array(run["logits"])) for run in runs]
        for key in ("map", "auc", "f1", "exact_match"):
            assert cell[key] == pytest.approx(np.mean([one[key] for one in each]))
            assert [run["metrics"][key] for run in runs] == [one[key] for one in each]
    # Half of the tested pictures have each label; as many of those trained on do.
    assert (cells[3]["map"], cells[3]["auc"], cells[3]["run_ids"]) == (50, 50, [])


def test_the_page_says_what_a_colleague_asks(files):
    page = files["report.html"].read_text()
    for text in (
        "Which way do they go?",
        "Only 16 pictures were tested",
        "Trained on 32 pictures, plain &lt;b&gt; reaches a mean average precision of",
        "over the 2 labels of the 16 tested ones",
        "has a mean average precision of 50.0 %, and tells all labels of 25.0 % rightly",
        "<th>&lt;i&gt;green</th><td>16</td><td>8</td>",
        "<th>none of these</th><td>8</td><td>4</td>",
        "1 files could not be read as pictures",
        "Label by label",
        "The most wrong pictures",
    ):
        assert text in page, text
    assert page.index('class="warn"') < page.index('class="result"')
    assert "<i>green" not in page
    assert ".png" not in page


def test_tables_have_every_label_and_every_tested_picture(files):
    each = list(csv.DictReader(files["labels.csv"].read_text().splitlines()))
    assert [(row["label"], row["row"]) for row in each[:3]] == [
        (GREEN, PLAIN),
        ("red", PLAIN),
        (GREEN, RATES),
    ]
    rows = list(csv.DictReader(files["predictions.csv"].read_text().splitlines()))
    assert len(rows) == 16 * 2
    assert [row["labels"] for row in rows[:4]] == ["red", GREEN, f"{GREEN};red", "none"]
    assert all(row["picture"].startswith("picture-") for row in rows)


def test_predict_says_what_the_test_said(study, run, capsys, tmp_path):
    logits = np.array(read_json(run / "result.json")["logits"])
    names = (study.prepared / "test_names.txt").read_text().splitlines()
    pictures = [str(study.root / name) for name in names]
    out = tmp_path / "answers.csv"
    (tmp_path / "no.png").write_bytes(b"no picture")
    assert main(["predict", str(run), *pictures, str(tmp_path / "no.png"), "--csv", str(out)]) == 1
    *lines, torn = csv.DictReader(out.read_text().splitlines())
    said = [[float(line[f"p({name})"]) for name in (GREEN, "red")] for line in lines]
    np.testing.assert_allclose(said, 1 / (1 + np.exp(-logits)), atol=1e-4)
    given = [[GREEN] * bool(g > 0) + ["red"] * bool(r > 0) for g, r in logits]
    assert [line["labels"] for line in lines] == [";".join(one) or "none" for one in given]
    assert (torn["labels"], torn["p(red)"]) == ("", "")
    capsys.readouterr()
    assert main(["predict", str(run), pictures[0], "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["labels"] == given[0]
    assert answer["probabilities"]["red"] == pytest.approx(said[0][1], abs=1e-4)
    save_net(run, study.prepared, tmp_path / "net")
    told = load_net(tmp_path / "net").predict_file(Path(pictures[0]).read_bytes())
    assert told == {"labels": given[0], "probabilities": pytest.approx(answer["probabilities"])}


def test_load_answers_with_a_probability_a_label(study, run):
    loaded = structnets.load(run)
    seen = loaded.transform(study.root / "pictures/00.png")
    assert (loaded.classes, loaded.several) == ((GREEN, "red"), True)
    logits = loaded.model(seen[None])
    assert loaded.probabilities([seen]).tolist() == logits.sigmoid().tolist()


@pytest.mark.slow
def test_an_exported_net_answers_with_a_probability_a_label(run, tmp_path):
    import torch

    assert main(["export", str(run), "--format", "torch", "--out", str(tmp_path / "net.pt2")]) == 0
    net = torch.export.load(tmp_path / "net.pt2").module()
    loaded, pixels = structnets.load(run), torch.rand(2, 3, 32, 32)
    seen = loaded.facts["statistics"]
    mean, std = (torch.tensor(seen[key]).view(3, 1, 1) for key in ("mean", "std"))
    wanted = loaded.probabilities([(one - mean) / std for one in pixels])
    torch.testing.assert_close(net(pixels), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_model_in_mlflow_answers_with_labels(study, run, tmp_path):
    import pandas as pd
    from mlflow import pyfunc

    _pack(run, study.prepared, tmp_path / "net", tmp_path / "packed")
    model = pyfunc.load_model(str(tmp_path / "packed"))
    content = (study.root / "pictures/00.png").read_bytes()
    (answer,) = model.predict(pd.DataFrame({"file": [content]}))
    assert answer["probabilities"].keys() == {GREEN, "red"}
    assert model.metadata.signature.outputs.input_names() == ["labels", "probabilities"]


def test_mlflow_is_told_how_many_pictures_have_each_label(study, run):
    largest = read_json(run / "spec.json")
    inputs = inputs_of(largest, read_json(study.prepared / "manifest.json"))
    assert [(one["profile"]["number"], one["profile"]["of_each_class"]) for one in inputs] == [
        (32, {GREEN: 16, "red": 16}),
        (16, {GREEN: 8, "red": 8}),
    ]
    note = of_model("m-1", read_json(run / "result.json"))
    assert "labels and a probability of each" in note


def test_changed_labels_are_found(study):
    assert verify(study.prepared) == []
    manifest = read_json(study.prepared / "manifest.json")
    changed = {**manifest["label_sets"], "train": [[0], *manifest["label_sets"]["train"][1:]]}
    write_json(study.prepared / "manifest.json", {**manifest, "label_sets": changed})
    try:
        assert "states other train label_sets" in verify(study.prepared)[0]
        with pytest.raises(ValueError, match="states other train label_sets than lie in it"):
            load_answers(study.prepared, "train", "label_sets")
    finally:
        write_json(study.prepared / "manifest.json", manifest)


def test_all_of_it_is_forgotten(study, files, tmp_path):
    found = belongings("things", study.results, study.root / "scratch", study.prepared.parent)
    assert found.runs == {run.run_id for run in study.planned.runs}
    assert study.prepared in found.paths
    assert files["report.html"].parent in found.paths
