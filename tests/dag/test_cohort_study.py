"""A study of a cohort in the plan."""

import re

import pytest
import yaml

from structnets.reporting.study_plan import lists_folder
from tests.made_cohort_plan import plan_made_cohort

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
    plan_made_cohort(clone, 24, STUDY, lists_folder(clone / "scratch"), 1.0, 0.5)
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


def test_a_score_is_planned_as_jobs_of_a_cluster_and_a_corrected_one_makes_others(
    clone, call, jobs
):
    table = clone / "brains/labels.csv"
    head, *people = table.read_text().splitlines()
    lines = [line.rpartition(",")[0] + f",{60 + n}" for n, line in enumerate(people)]
    table.write_text("\n".join([head, *lines]))
    study = {**STUDY, "kind": "regression", "rows": []}
    study.pop("classes")
    (clone / "my.yaml").write_text(yaml.safe_dump(study))
    before = jobs("--profile", "slurm", *call)
    kinds = {re.sub(r"_[0-9a-f]{8}$", "", name): count for name, count in before.items()}
    assert (kinds["prepare_mri_subject"], kinds["prepare_cohort_scores"]) == (24, 1)
    assert (kinds["train_mine"], kinds["report_mine"]) == (1, 1)  # each of its jobs once
    table.write_text(table.read_text().replace(",60", ",90"))
    assert not named(before) & named(jobs("--profile", "slurm", *call))
