"""A study of a cohort in the plan."""

import re

import pytest
import yaml

from structnets.files import write_json
from structnets.reporting.cohort_plan import plan_cohort
from structnets.reporting.study_estimate import speed_key, speeds_file
from structnets.reporting.study_plan import lists_folder
from structnets.specs.cohort_study import LINEAR
from structnets.specs.configuration import Configuration

STUDY = {
    "study": "mine",
    "cohort": "brains",
    "layout": "folder",
    "label": "d",
    "classes": ["no", "yes"],
    "folds": 2,
    "rows": [{"model": "nin_3d", "options": {"width": 0.25}}],
}


@pytest.fixture
def call(clone):
    """Write a study of twenty-four people; return the call that makes it."""
    (clone / "brains").mkdir()
    rows = ["subject,file,d"]
    for number in range(24):
        (clone / "brains" / f"b{number}.nii").write_bytes(bytes([number]))
        rows.append(f"p{number},b{number}.nii,{('no', 'yes')[number % 2]}")
    (clone / "brains/labels.csv").write_text("\n".join(rows))
    file = clone / "my.yaml"
    file.write_text(yaml.safe_dump(STUDY))
    planned = plan_cohort(Configuration(study=str(file)), lists_folder(clone / "scratch"), None)
    speed = {"step_s": 1.0, "test_s": 0.5, "parameters": 1e6}  # nothing need be timed
    nets = [run.spec for run in planned.runs if run.row != LINEAR]
    write_json(speeds_file(clone / "scratch"), {speed_key(spec): speed for spec in nets})
    return ["study", "--config", "study=my.yaml"]


def named(jobs):
    return {name for name in jobs if name.startswith(("train", "prepare_cohort"))}


def test_a_study_is_planned_and_a_corrected_label_makes_another(clone, call, jobs):
    before = jobs(*call)
    kinds = {re.sub(r"_[0-9a-f]{8}$", "", name): count for name, count in before.items()}
    assert kinds["prepare_mri_subject"] == 24
    assert (kinds["prepare_cohort"], kinds["report_mine"], kinds["study"]) == (1, 1, 1)
    table = clone / "brains/labels.csv"
    table.write_text(table.read_text().replace("b0.nii,no", "b0.nii,yes"))
    after = jobs(*call)
    assert not named(before) & named(after)


def test_few_people_are_told_before_anything_runs(clone, call, snakemake):
    content = {**STUDY, "exclude": [f"p{number}" for number in range(16)]}
    (clone / "my.yaml").write_text(yaml.safe_dump(content))
    said = snakemake(*call, "-n", code=1)
    assert "there are only 4 of class 'no' and 4 of class 'yes'" in said
    assert "write few: run into my.yaml" in said


def test_hours_are_told_before_a_scan_is_registered_and_may_be_limited(clone, call, snakemake):
    said = snakemake(*call, "-n")
    assert "4 of 4 trainings are to be made, with 24 scans to register first" in said
    (clone / "my.yaml").write_text(yaml.safe_dump({**STUDY, "limit": {"hours": 0.001}}))
    said = snakemake(*call, "-n", code=1)
    assert "raise limit.hours, or give fewer rows, folds, repeats or epochs" in said
