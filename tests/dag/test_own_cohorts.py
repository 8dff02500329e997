"""A cohort of one's own in the plan: what lies in it decides which runs there are."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from structnets.cohorts.content import Contents
from structnets.files import write_json
from structnets.identity import prepared_name
from structnets.reporting.plan import make_plan
from structnets.specs.configuration import load_configuration
from tests.made_results import publish

PREPARE = {"layout": "folder", "label_column": "d", "classes": "no,yes", "folds": 2}
EXPERIMENT = {
    "model": {"name": "standardized_voxels"},
    "data": {"name": "cohort", "prepare": PREPARE},
    "recipe": {"kind": "closed_form", "classifier": "logistic", "folds": 4, "grid": [1.0]},
    "presets": {"small": {}},
}
TARGET = {
    "target": "mine",
    "kind": "table",
    "title": "Mine",
    "caption": "Mine.",
    "unit": "%",
    "rows": [{"key": "linear", "label": "Linear", "experiment": "mine.yaml"}],
    "columns": [{"key": "accuracy", "label": "Accuracy"}],
    "floor": {"small": [{"rows": "all", "columns": "all", "seeds": [0, 1]}]},
}


@pytest.fixture
def call(clone):
    """Write a cohort of eight and a table of it; return what a call of snakemake has to say."""
    for folder, name, content in (("t", "mine", TARGET), ("e", "mine", EXPERIMENT)):
        (clone / folder).mkdir()
        (clone / folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    cohort = clone / "originals" / "cohort"
    cohort.mkdir(parents=True)
    rows = ["subject,file,d"]
    for number in range(8):
        (cohort / f"b{number}.nii").write_bytes(bytes([number]))
        rows.append(f"p{number},b{number}.nii,{('no', 'yes')[number % 2]}")
    (cohort / "labels.csv").write_text("\n".join(rows))
    chosen = {"preset": "small", "data_root": "originals", "targets": "t", "experiments": "e"}
    return ["mine", "--config", *(f"{key}={value}" for key, value in chosen.items())]


def make_all(clone, call):
    """Leave what a whole call would, for what lies in the cohort now."""
    chosen = dict(word.split("=") for word in call[2:])
    configuration = load_configuration(chosen)
    plan = make_plan(configuration, Contents(clone / "originals"))
    data = next(iter(plan.specs.values()))["data"]
    folder = clone / "data/prepared" / prepared_name(data)
    subjects = clone / "data/prepared/subjects"
    (name,) = {path.name for path in subjects.iterdir()} if subjects.exists() else {registered()}
    for number in range(8):
        if not (subjects / name / f"p{number}.json").exists():
            write_json(subjects / name / f"p{number}.json", {})
    rows = [
        {"subject": scan.subject, "session": "", "label": scan.label, "sha256": sha256}
        for scan, sha256 in next(iter(listed(clone)))
    ]
    for file in ("volumes.npy", "labels.npy", "folds.csv"):
        write_json(folder / file, {})
    write_json(folder / "subjects.json", rows)
    write_json(folder / "manifest.json", {"dataset": "cohort", "prepare": data["prepare"]})
    publish(clone / "results", plan.specs.values())
    write_json(clone / "results/tracking.json", {})
    return set(plan.specs)


def listed(clone):
    contents = Contents(clone / "originals")
    contents(EXPERIMENT["data"])
    return contents.scans.values()


def registered():
    from structnets.cohorts.request import CohortRequest

    return CohortRequest("cohort", PREPARE).subjects_name()


def counted(jobs):
    return {re.sub(r"_[0-9a-f]{8}$", "", name): number for name, number in jobs.items()}


def test_a_label_that_is_corrected_makes_other_runs_and_says_why(
    clone, call, jobs, snakemake, monkeypatch
):
    monkeypatch.chdir(clone)
    whole = {"prepare_mri_subject": 8, "prepare_cohort": 1, "track_init": 1, "train": 2, "mine": 1}
    assert counted(jobs(*call)) == whole
    runs = make_all(clone, call)
    assert counted(jobs(*call)) == {"mine": 1}
    table = clone / "originals/cohort/labels.csv"
    text = table.read_text()
    table.write_text(text.replace("b0.nii,no", "b0.nii,yes").replace("b1.nii,yes", "b1.nii,no"))
    assert counted(jobs(*call)) == {"prepare_cohort": 1, "train": 2, "mine": 1}
    said = snakemake(*call, "-n")
    assert "cohort: the cohort has changed since it was prepared last: the label of p0" in said
    assert not runs & make_all(clone, call)
    # What was trained before is there still, for what it was trained on.
    table.write_text(text)
    assert counted(jobs(*call)) == {"mine": 1}


def test_a_prepared_folder_that_is_gone_is_prepared_again_and_nothing_trained(
    clone, call, jobs, monkeypatch
):
    monkeypatch.chdir(clone)
    make_all(clone, call)
    (folder,) = Path("data/prepared").glob("cohort-*/")
    shutil.rmtree(folder)
    assert counted(jobs(*call)) == {"mine": 1}
    assert counted(jobs(f"{folder}/manifest.json", *call[1:])) == {"prepare_cohort": 1}


def test_equal_content_in_another_place_is_the_same_run(clone, call, jobs, monkeypatch):
    monkeypatch.chdir(clone)
    make_all(clone, call)
    shutil.copytree("originals", "elsewhere")
    moved = [word.replace("=originals", "=elsewhere") for word in call]
    assert counted(jobs(*moved)) == {"mine": 1}
    (clone / "elsewhere/cohort/b3.nii").write_bytes(b"another")
    assert counted(jobs(*moved))["train"] == 2


def test_fewer_subjects_than_inner_folds_are_told_at_once(clone, call, snakemake):
    content = {**EXPERIMENT, "recipe": {**EXPERIMENT["recipe"], "folds": 5}}
    (clone / "e" / "mine.yaml").write_text(yaml.safe_dump(content))
    said = snakemake(*call, "-n", code=1)
    assert "class 'no' has 4 subjects, of which 2 folds leave 2 for training: too few for 5" in said


def test_a_cohort_that_is_not_there_stops_only_what_needs_it(clone, call, snakemake):
    shutil.rmtree(clone / "originals")
    assert "originals/cohort is no folder" in snakemake(*call, "-n", code=1)
    snakemake("results/tracking.json", *call[1:], "-n")
