"""What is in a cohort of one's own is part of its runs' names."""

import json
import shutil

import pytest

from structnets.cohorts.changes import changed_since
from structnets.cohorts.content import UNLISTED, Contents, read_checksums, refuse_other_content
from structnets.cohorts.fold_sizes import refuse_few_inside, subjects_of_classes
from structnets.cohorts.request import CohortRequest
from structnets.identity import prepared_name, run_id
from structnets.specs.experiment import load_experiment, resolve

PREPARE = {"layout": "folder", "label_column": "d", "classes": "no,yes", "folds": 2}
DATA = {"name": "cohort", "prepare": PREPARE}
EXPERIMENT = {
    "model": {"name": "standardized_voxels"},
    "data": DATA,
    "recipe": {"kind": "closed_form", "classifier": "logistic", "folds": 2, "grid": [1.0]},
    "presets": {"small": {}},
}


@pytest.fixture
def originals(tmp_path):
    """Four scans of a byte each, and their labels."""
    folder = tmp_path / "originals" / "cohort"
    folder.mkdir(parents=True)
    rows = ["subject,file,d,age"]
    for number in range(4):
        (folder / f"b{number}.nii").write_bytes(bytes([number]))
        rows.append(f"p{number},b{number}.nii,{('no', 'yes')[number % 2]},7{number}")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder.parent


def run_of(originals, **more):
    experiment = load_experiment(EXPERIMENT, "x", Contents(originals, **more))
    return run_id(resolve(experiment, "small", 0))


def edit(originals, old, new):
    table = originals / "cohort" / "labels.csv"
    assert old in table.read_text()
    table.write_text(table.read_text().replace(old, new))


def correct_a_label(originals):
    edit(originals, "b3.nii,yes", "b3.nii,no")
    edit(originals, "b2.nii,no", "b2.nii,yes")


def replace_a_scan(originals):
    (originals / "cohort" / "b1.nii").write_bytes(b"x")


def add_a_subject(originals):
    (originals / "cohort" / "b4.nii").write_bytes(b"4")
    edit(originals, "p0,", "p4,b4.nii,no,50\np0,")


def remove_a_subject(originals):
    add_a_subject(originals)
    (originals / "cohort" / "b0.nii").unlink()


def call_a_subject_otherwise(originals):
    edit(originals, "p0,", "p9,")


CHANGES = [
    correct_a_label,
    replace_a_scan,
    add_a_subject,
    remove_a_subject,
    call_a_subject_otherwise,
]


@pytest.mark.parametrize("change", CHANGES)
def test_other_content_is_another_run(originals, tmp_path, change):
    before = run_of(originals, memory=tmp_path)
    assert run_of(originals, memory=tmp_path) == before
    change(originals)
    assert run_of(originals, memory=tmp_path) != before


def test_equal_content_elsewhere_is_the_same_run(originals, tmp_path):
    before = run_of(originals)
    edit(originals, ",70", ",71")  # a column that no run looks at
    shutil.copytree(originals, tmp_path / "elsewhere")
    assert run_of(tmp_path / "elsewhere") == before


def test_the_name_of_what_is_not_one_s_own_stays(originals):
    spec = {**EXPERIMENT, "data": {"name": "oasis_ad126", "prepare": {"grid_mm": 4}}}
    plain, listed = (load_experiment(spec, "x", c) for c in (None, Contents(originals)))
    assert run_id(resolve(plain, "small", 0)) == run_id(resolve(listed, "small", 0))


def test_a_cohort_that_is_not_there_has_the_name_of_no_run(originals, tmp_path):
    contents = Contents(tmp_path / "nowhere")
    assert contents(DATA) == UNLISTED
    assert "cohort is no folder" in contents.troubles[CohortRequest(**DATA).listed_as()]
    assert run_of(tmp_path / "nowhere") not in (run_of(originals), run_id_without(EXPERIMENT))


def run_id_without(experiment):
    return run_id(resolve(load_experiment(experiment, "x"), "small", 0))


def test_a_job_takes_the_content_it_was_planned_with(originals):
    planned = Contents(originals)
    before = run_of(originals)
    planned(DATA)
    correct_a_label(originals)
    assert run_of(originals, known=json.loads(json.dumps(planned.known))) == before


def test_scans_that_changed_since_are_refused(originals):
    data = {**DATA, "prepare": {**PREPARE, "content": Contents(originals)(DATA)}}
    request = CohortRequest(**data)
    found = read_checksums(request, request.list_scans(originals), originals)
    refuse_other_content(request, found)
    replace_a_scan(originals)
    found = read_checksums(request, request.list_scans(originals), originals)
    with pytest.raises(ValueError, match=r"they have changed since this was planned; call again"):
        refuse_other_content(request, found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (correct_a_label, "the label of p2 was 'no' and is 'yes'; the label of p3 was 'yes' and"),
        (replace_a_scan, "last: the scan of p1 is another. Its runs are others now"),
        (remove_a_subject, "last: p0 is gone; p4 is new. Its"),
    ],
)
def test_why_runs_are_others_is_said(originals, tmp_path, change, said):
    contents = Contents(originals)
    before = {**DATA, "prepare": {**PREPARE, "content": contents(DATA)}}
    folder = tmp_path / "prepared" / prepared_name(before)
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(
        json.dumps({"dataset": "cohort", "prepare": before["prepare"]})
    )
    (listed,) = contents.scans.values()
    rows = [
        {"subject": scan.subject, "session": "", "label": scan.label, "sha256": sha256}
        for scan, sha256 in listed
    ]
    (folder / "subjects.json").write_text(json.dumps(rows))
    assert changed_since(tmp_path / "prepared", before, listed) is None
    change(originals)
    contents = Contents(originals)
    after = {**DATA, "prepare": {**PREPARE, "content": contents(DATA)}}
    (listed,) = contents.scans.values()
    assert said in changed_since(tmp_path / "prepared", after, listed)


def test_fewer_subjects_than_inner_folds(originals):
    request = CohortRequest(**DATA)
    subjects = subjects_of_classes(request.list_scans(originals).scans, request.classes)
    with pytest.raises(ValueError, match="class 'no' has 2 subjects, of which 2 folds leave 1 for"):
        refuse_few_inside(subjects, request.folds, 2)
