"""Cohorts in the plan: one job per scan, listed only when a cohort is asked for."""

import os
import time


def make_cohort(clone, subjects):
    folder = clone / "originals" / "oasis1"
    folder.mkdir(parents=True)
    lines = ["ID,M/F,Hand,Age,Educ,SES,MMSE,CDR"]
    for number in range(subjects):
        name = f"OAS1_{number:04d}_MR1"
        (folder / f"{name}_mpr.nii.gz").touch()
        lines.append(f"{name},F,R,70,,,,{number % 2}")
    (folder / "oasis_cross-sectional.csv").write_text("\n".join([*lines, ""]))
    return f"data_root={clone / 'originals'}"


def test_one_job_per_scan(clone, jobs):
    root = make_cohort(clone, 20)
    counts = jobs("data/prepared/oasis_ad126/manifest.json", "--config", root)
    assert counts == {"prepare_mri_subject": 20, "prepare_oasis_ad126": 1}


def test_a_scan_that_changed_is_registered_again(clone, jobs):
    root = make_cohort(clone, 20)
    prepared = clone / "data/prepared"
    made = [prepared / f"subjects/oasis_ad126/OAS1_{n:04d}_MR1.json" for n in range(20)]
    names = ("manifest.json", "volumes.npy", "labels.npy", "subjects.json", "folds.csv")
    for path in [*made, *(prepared / "oasis_ad126" / name for name in names)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    target = "data/prepared/oasis_ad126/manifest.json"
    assert jobs(target, "--config", root) == {}
    scan = clone / "originals/oasis1/OAS1_0003_MR1_mpr.nii.gz"
    scan.write_text("mended")
    os.utime(scan, (time.time() + 5,) * 2)
    counts = jobs(target, "--config", root)
    assert counts == {"prepare_mri_subject": 1, "prepare_oasis_ad126": 1}


def test_a_table_that_changed_has_the_cohort_gathered_again(clone, jobs):
    root = make_cohort(clone, 20)
    prepared = clone / "data/prepared"
    made = [prepared / f"subjects/oasis_ad126/OAS1_{n:04d}_MR1.json" for n in range(20)]
    names = ("manifest.json", "volumes.npy", "labels.npy", "subjects.json", "folds.csv")
    for path in [*made, *(prepared / "oasis_ad126" / name for name in names)]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")
    table = clone / "originals/oasis1/oasis_cross-sectional.csv"
    os.utime(table, (time.time() + 5,) * 2)
    target = "data/prepared/oasis_ad126/manifest.json"
    assert jobs(target, "--config", root) == {"prepare_oasis_ad126": 1}


def test_a_cohort_that_is_not_there_is_named(snakemake):
    text = snakemake("data/prepared/oasis_ad126/manifest.json", "-n", code=1)
    assert "oasis1 is no folder; the cohort's scans and labels belong there" in text


def test_the_simulated_cohort_is_one_job(jobs):
    assert jobs("data/prepared/simulated_cohort/manifest.json") == {"prepare_simulated_cohort": 1}


def test_fewer_subjects_than_folds_are_told_before_any_registration(clone, snakemake):
    root = make_cohort(clone, 8)
    text = snakemake("data/prepared/oasis_ad126/manifest.json", "-n", "--config", root, code=1)
    assert "class 'normal' has 4 subjects and class 'alzheimer' has 4 subjects, too few" in text
