"""A study that estimates a score of pictures: from a table to the report and to predictions."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import structnets
from pipelines.forget import belongings, forget
from pipelines.report_study import report_study
from pipelines.tracking.logged_models import _pack
from structnets.cli import main
from structnets.files import read_json, write_json
from structnets.forms.picture_scores.stored import load_scored
from structnets.forms.writing import verify
from structnets.reporting.picture_score_results import PictureScoreResults
from structnets.specs.study import LINEAR, MEAN
from structnets.training.trained_net import load_net, save_net
from tests.made_picture_scores import LABEL, make_score_study

PLAIN = "plain <b>"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_score_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def files(study):
    return report_study(study.planned, study.prepared.parent, study.results)


def run_of(study, row, size=None, seed=0):
    sizes = sorted({run.size for run in study.planned.runs})
    asked = (row, size or sizes[-1], seed)
    return next(r for r in study.planned.runs if (r.row, r.size, r.seed) == asked)


def test_cells_by_hand(study, files):
    cells = read_json(files["results.json"])["cells"]
    rows = (PLAIN, LINEAR, MEAN)
    assert [(cell["train_size"], cell["row"]) for cell in cells] == [
        (size, row) for size in (12, 30) for row in rows
    ]
    scores = np.array([50 + 2 * n for n in range(40) if n % 4 == 1], dtype=float)
    for cell in cells[:2]:
        runs = [read_json(study.results / "runs" / run / "result.json") for run in cell["run_ids"]]
        errors = [np.abs(np.array(run["estimates"]) - scores).mean() for run in runs]
        assert [run["metrics"]["mae"] for run in runs] == pytest.approx(errors, rel=1e-5)
        assert cell["mae"] == pytest.approx(np.mean(errors))
    # The score is the brightness: a line through coarse pixels finds it, and no mean does.
    assert cells[4]["row"] == LINEAR
    assert cells[4]["r"] > 0.99
    assert cells[4]["mae"] < 0.2 * cells[5]["mae"]
    kept = [50 + 2 * n for n in range(40) if n % 4 != 1]
    assert cells[5]["mae"] == pytest.approx(np.abs(scores - np.mean(kept)).mean())
    assert (cells[5]["r"], cells[5]["run_ids"]) == (None, [])


def test_the_mean_is_that_of_the_pictures_that_a_run_had(study):
    found = PictureScoreResults.of_study(study.planned, study.prepared, study.results)
    seeds = found.answers(MEAN, 12)
    assert seeds[0][0] != seeds[1][0]
    model = structnets.load(study.results / "runs" / run_of(study, PLAIN, 12).run_id)
    assert model.facts["score"]["mean"] == seeds[0][0]
    assert model.facts["score"]["name"] == LABEL


def test_the_page_says_what_a_colleague_asks(files):
    page = files["report.html"].read_text()
    for text in (
        "Which way do they go?",
        "Only 10 pictures were tested",
        "Only 41 pictures. In so few, estimates that know nothing reach a correlation of 0.31",
        "Trained on 30 pictures, linear estimates weight &lt;g&gt; of the 10 tested ones",
        "plain &lt;b&gt; cannot be told from always saying the mean",
        "plain &lt;b&gt; is no better than the linear row",
        "has no score: weight &lt;g&gt; is empty or n/a",
        "1 files could not be read as pictures",
        "the gap between estimate and score goes with the score itself".replace("the gap", "gap"),
        "The most wrong pictures",
        "structnets predict",
    ):
        assert " ".join(text.split()) in " ".join(page.split()), text
    assert page.index('class="warn"') < page.index('class="result"')
    assert "linear cannot be told" not in page
    assert ".png" not in page
    assert MEAN in page


def test_predictions_are_pseudonyms_of_every_tested_picture(files):
    rows = list(csv.DictReader(files["predictions.csv"].read_text().splitlines()))
    assert len(rows) == 10 * 2 * 2
    assert all(row["picture"].startswith("picture-") for row in rows)
    assert {row["row"] for row in rows} == {PLAIN, LINEAR}


@pytest.mark.parametrize("row", [PLAIN, LINEAR])
def test_predict_says_what_the_test_said_in_its_units(study, row, capsys, tmp_path):
    run = study.results / "runs" / run_of(study, row).run_id
    tested = read_json(run / "result.json")["estimates"]
    names = (study.prepared / "test_names.txt").read_text().splitlines()
    pictures = [str(study.root / name) for name in names]
    out = tmp_path / "answers.csv"
    assert main(["predict", str(run), *pictures, "--csv", str(out)]) == 0
    said = [float(line["estimate"]) for line in csv.DictReader(out.read_text().splitlines())]
    assert said == pytest.approx(tested, rel=1e-4)
    assert main(["predict", str(run), pictures[0], "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert answer["score"] == LABEL
    save_net(run, study.prepared, tmp_path / "net")
    said = load_net(tmp_path / "net").predict_file(Path(pictures[0]).read_bytes())
    assert said == {"estimate": pytest.approx(tested[0], rel=1e-4)}


@pytest.mark.slow
def test_an_exported_net_answers_in_units(study, tmp_path):
    import torch

    run = study.results / "runs" / run_of(study, PLAIN).run_id
    assert main(["export", str(run), "--format", "torch", "--out", str(tmp_path / "net.pt2")]) == 0
    net = torch.export.load(tmp_path / "net.pt2").module()
    loaded = structnets.load(run)
    pixels = torch.rand(2, 3, 32, 32)
    seen = loaded.facts["statistics"]
    mean, std = (torch.tensor(seen[key]).view(3, 1, 1) for key in ("mean", "std"))
    wanted = loaded.estimates([(one - mean) / std for one in pixels])
    torch.testing.assert_close(net(pixels)[:, 0].double(), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
def test_the_model_in_mlflow_answers_in_units(study, tmp_path):
    import pandas as pd
    from mlflow import pyfunc

    run = study.results / "runs" / run_of(study, LINEAR).run_id
    _pack(run, study.prepared, tmp_path / "net", tmp_path / "packed")
    model = pyfunc.load_model(str(tmp_path / "packed"))
    first = (study.prepared / "test_names.txt").read_text().splitlines()[0]
    (answer,) = model.predict(pd.DataFrame({"file": [(study.root / first).read_bytes()]}))
    tested = read_json(run / "result.json")["estimates"][0]
    assert answer == {"estimate": pytest.approx(tested, rel=1e-4)}
    assert model.metadata.signature.outputs.input_names() == ["estimate"]
    assert len(model.predict(model.input_example)) == 1


def test_changed_scores_are_found_and_other_scores_are_other_runs(study):
    assert verify(study.prepared) == []
    manifest = read_json(study.prepared / "manifest.json")
    changed = {**manifest["scores"], "train": [1.0, *manifest["scores"]["train"][1:]]}
    write_json(study.prepared / "manifest.json", {**manifest, "scores": changed})
    try:
        assert "states other train scores" in verify(study.prepared)[0]
        with pytest.raises(ValueError, match="states other train scores than lie in it"):
            load_scored(study.prepared, "train")
    finally:
        write_json(study.prepared / "manifest.json", manifest)


def test_all_of_it_is_forgotten(tmp_path):
    made = make_score_study(tmp_path, train_sizes=["all"], seeds=1)
    report_study(made.planned, made.prepared.parent, made.results)
    scratch = tmp_path / "scratch"
    found = belongings("weights", made.results, scratch, made.prepared.parent)
    assert found.runs == {run.run_id for run in made.planned.runs}
    forget(found, made.results)
    left = [
        path
        for root in ("results", "scratch", "prepared")
        for path in (tmp_path / root).rglob("*")
        if path.is_file() and path.parent.name != "checksums"
    ]
    assert left == []
    assert (tmp_path / "pictures/00.png").is_file()
    assert (tmp_path / "weights.csv").is_file()
