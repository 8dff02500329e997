import csv
import os
from html.parser import HTMLParser

import pytest

from pipelines.report_study import main, report_study
from structnets.files import read_json, write_json
from tests.made_study import make_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def files(study):
    return report_study(study.planned, study.prepared.parent, study.results)


class Words(HTMLParser):
    """Text, names of elements, and what is loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.text, self.elements, self.sources = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.sources += [value for key, value in attributes if key in ("src", "href")]

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(files):
    words = Words()
    words.feed(files["report.html"].read_text())
    return words


def test_cells_are_means_over_seeds_of_the_runs(study, files):
    cells = read_json(files["results.json"])["cells"]
    rows = list(csv.DictReader(files["results.csv"].read_text().splitlines()))
    assert [(cell["train_size"], cell["row"]) for cell in cells] == [
        (size, row) for size in (4, 12) for row in ("structured", "plain <b>")
    ]
    for cell, row in zip(cells, rows, strict=True):
        runs = [read_json(study.results / "runs" / run / "result.json") for run in cell["run_ids"]]
        assert [run["spec"]["seed"] for run in runs] == [0, 1]
        mean = sum(run["metrics"]["accuracy"] for run in runs) / 2
        assert cell["accuracy"] == pytest.approx(mean)
        assert float(row["accuracy"]) == pytest.approx(mean)
        assert cell["majority"] == 50


def test_what_is_taken_for_what_is_in_results_json(study, files):
    found = read_json(files["results.json"])
    assert set(found["classes"]) == {"across", "<i>along"}
    runs = [run for run in study.planned.runs if run.row == "structured" and run.size != 4]
    each = [read_json(study.results / "runs" / r.run_id / "result.json")["confusion"] for r in runs]
    summed = [[a + b for a, b in zip(*rows, strict=True)] for rows in zip(*each, strict=True)]
    assert found["confusion"]["structured"] == summed


def test_classes_too_many_to_show_are_told_where_they_stand(study, monkeypatch):
    monkeypatch.setattr("structnets.reporting.study_page.MOST_CLASSES", 1)
    again = report_study(study.planned, study.prepared.parent, study.results)
    said = again["report.html"].read_text()
    assert "2 classes are too many to show: results.json has the counts of each row as" in said
    assert 'class="confusion"' not in said


def test_the_page_answers_in_words(page):
    text = " ".join(" ".join(page.text).split())
    for said in (
        "Which way do they go?",
        "Only 4 pictures were tested: one of them is 25.0 points",
        "Always answering the class that is most frequent in training would be right in 50.0 %",
        "structured cannot be told from always giving the most frequent answer",
        "Each row was trained with 2 seeds only",
        "undecided",
        "1 files could not be read as pictures and were left out.",
        "Trained on 12 pictures, structured gives",
        "8 of grey",
        "snakemake --profile profiles/local study",
        "structnets predict",
    ):
        assert said in text, said


def test_the_page_needs_nothing_else_and_escapes_names(page):
    assert page.sources
    assert all(source.startswith("data:") for source in page.sources)
    assert "i" not in page.elements  # of the class "<i>along"
    assert "<i>along" in page.text
    assert "plain <b>" in page.text


def test_files_are_pseudonyms_whose_key_is_beside(study, files, page):
    text = " ".join(page.text)
    assert ".png" not in text.replace("picture.png", "")
    keys = list(
        csv.DictReader((study.results / "studies/stripes/names.csv").read_text().splitlines())
    )
    assert len(keys) == 17
    assert {key["file"].partition("/")[0] for key in keys} == {"across", "<i>along"}
    assert "names.csv" not in files  # what MLflow gets


def arguments(study):
    return [
        *("--study", str(study.file), "--list", str(study.planned.list_file)),
        *("--prepared", str(study.prepared.parent), "--results", str(study.results)),
        *("--scratch", str(study.root / "scratch")),
    ]


def test_results_of_other_pictures_are_refused(study, capsys, monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    path = study.run / "result.json"
    whole = read_json(path)
    write_json(path, {**whole, "data_digest": "f" * 64})
    assert main(arguments(study)) == 1
    assert "was measured on other prepared pictures (ffffffff)" in capsys.readouterr().err
    path.unlink()
    assert main(arguments(study)) == 1
    assert "call the study again to train the run" in capsys.readouterr().err
    write_json(path, whole)


def test_a_broken_picture_is_counted_nowhere_but_among_those_left_out(study, page):
    listed = study.planned.gathered.pictures
    cut = next(picture for picture in listed.pictures if "torn" in picture.name)
    assert (cut.split, len(listed.of_split("train"))) == ("train", 13)
    text = " ".join(page.text)
    assert "damaged" in text
